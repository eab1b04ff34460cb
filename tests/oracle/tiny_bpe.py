"""Makes tests/data/tiny-bpe: a byte-level BPE of about 300 tokens with the library's own trainer, for tests without real data.

Llama 3's shape in small: its split pattern, BOS from the post-processor, ChatML's tokens as added ones."""
import json
import os
import sys

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

TEXT = """
The sea was calm and the little boat went slowly along the coast. What is the capital of France? The capital of
France is Paris. Please write a short story about a dog and a cat, and then tell me what you think of it. I think that
this is a good question, and I will answer it as well as I can: there are three reasons, and the first one is the best.
How are you today? I am fine, thank you! Here are some numbers: 1, 2, 3, 10, 20, 100, 1000, 2024. It's not that
they're wrong; we've seen it, she'd say, he'll do it, I'm sure. int main(void) { return 0; } for (i = 0; i < n; i++)
sum += x[i]; print("hello, world") user assistant system message content answer kind rude friendly helpful
"""


def main(out):
    tok = Tokenizer(models.BPE(ignore_merges=False))
    pattern = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|"
               r"\s*[\r\n]+|\s+(?!\S)|\s+")
    tok.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(pattern), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=False)])
    tok.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=320, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
                                  special_tokens=["<s>", "</s>"], show_progress=False)
    tok.train_from_iterator([TEXT], trainer)
    tok.add_special_tokens([AddedToken(t, special=True) for t in ("<|im_start|>", "<|im_end|>")])
    tok.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", tok.token_to_id("<s>"))])
    os.makedirs(out, exist_ok=True)
    tok.save(os.path.join(out, "tokenizer.json"), pretty=False)
    with open(os.path.join(out, "tokenizer_config.json"), "w") as f:
        json.dump({"bos_token": "<s>", "eos_token": "</s>", "pad_token": "</s>", "model_max_length": 512,
                   "tokenizer_class": "PreTrainedTokenizerFast"}, f, indent=2)
        f.write("\n")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "tests/data/tiny-bpe")
