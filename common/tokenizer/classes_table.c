/* Facts of transformers 5.23: what its tokenizer classes build, and which of them opens what. */
#include "common/tokenizer/classes_table.h"

#include <string.h>

#define JSON(...) #__VA_ARGS__

/* clang-format off */
#define BYTE_BPE \
	"\"model\": " JSON({"type": "BPE"}) ", \"decoder\": " JSON({"type": "ByteLevel"})
#define BYTELEVEL JSON({"type": "ByteLevel", "add_prefix_space": false, "use_regex": true})
#define SPM_DECODERS JSON({"type": "Sequence", "decoders": [ \
	{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}]})
#define QWEN(regex) \
	"{" BYTE_BPE ", \"normalizer\": " JSON({"type": "NFC"}) ", \"pre_tokenizer\": " \
	JSON({"type": "Sequence", "pretokenizers": [ \
		{"type": "Split", "behavior": "Isolated", "invert": false, "pattern": {"Regex": regex}}, \
		{"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]}) "}"
#define QWEN_NAMES JSON({"unk_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"})
#define ROBERTA_NAMES "\"bos_token\": \"<s>\", \"eos_token\": \"</s>\", \"sep_token\": \"</s>\", " \
	"\"cls_token\": \"<s>\", \"unk_token\": \"<unk>\", \"pad_token\": \"<pad>\", "
const struct class classes_table[] = {
	{"LlamaTokenizer", "",
		"{\"model\": " JSON({"type": "BPE", "fuse_unk": true, "byte_fallback": true})
		", \"pre_tokenizer\": " JSON({"type": "Metaspace", "replacement": "▁", "split": false})
		", \"decoder\": " SPM_DECODERS "}",
		JSON({"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}), NULL, 1, 0},
	{"GPT2Tokenizer", "CodeGenTokenizer",
		"{" BYTE_BPE ", \"pre_tokenizer\": " BYTELEVEL "}",
		JSON({"unk_token": "<|endoftext|>", "bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>"}),
		"!", 0, 0},
	{"GPTNeoXTokenizer", "",
		"{" BYTE_BPE ", \"normalizer\": " JSON({"type": "NFC"}) ", \"pre_tokenizer\": " BYTELEVEL "}",
		JSON({"unk_token": "<|endoftext|>", "bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>",
			"pad_token": "<|padding|>"}), NULL, 0, 1},
	{"Qwen2Tokenizer", "",
		QWEN("(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"),
		QWEN_NAMES, NULL, 0, 0},
	{"Qwen3_5Tokenizer", "",
		QWEN("(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"),
		QWEN_NAMES, NULL, 0, 0},
	{"CohereTokenizer", "",
		"{" BYTE_BPE ", \"normalizer\": " JSON({"type": "NFC"}) ", \"pre_tokenizer\": "
		JSON({"type": "Sequence", "pretokenizers": [
			{"type": "Digits", "individual_digits": true},
			{"type": "ByteLevel", "add_prefix_space": false, "use_regex": true}]}) "}",
		JSON({"unk_token": "<UNK>", "bos_token": "<BOS_TOKEN>", "eos_token": "<|END_OF_TURN_TOKEN|>", "pad_token": "<PAD>",
			"cls_token": "<CLS>", "sep_token": "<SEP>", "mask_token": "<MASK_TOKEN>"}), NULL, 0, 0},
	{"GemmaTokenizer", "",
		"{\"model\": " JSON({"type": "BPE", "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": true})
		", \"normalizer\": " JSON({"type": "Replace", "pattern": {"String": " "}, "content": "▁"})
		", \"pre_tokenizer\": " JSON({"type": "Split", "pattern": {"String": " "},
			"behavior": "MergedWithPrevious", "invert": false})
		", \"decoder\": " SPM_DECODERS "}",
		JSON({"unk_token": "<unk>", "bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>",
			"mask_token": "<mask>"}), NULL, 0, 0},
	{"BlenderbotTokenizer", "",
		"{" BYTE_BPE ", \"pre_tokenizer\": " BYTELEVEL "}",
		"{" ROBERTA_NAMES "\"mask_token\": " JSON({"content": "<mask>", "lstrip": true}) "}",
		"<pad>", 1, 0},
	{"RobertaTokenizer", "BartTokenizer LEDTokenizer LongformerTokenizer",
		"{" BYTE_BPE ", \"pre_tokenizer\": " BYTELEVEL
		", \"post_processor\": " JSON({"type": "RobertaProcessing", "trim_offsets": true}) "}",
		"{" ROBERTA_NAMES "\"mask_token\": \"<mask>\"}", "<s>", 0, 1},
	{0},
};

/* Others that build their own, with the model types that they are registered for. */
static const struct group {
	const char *class, *types;
} others[] = {
	{"AlbertTokenizer", "albert yoso"},
	{"BarthezTokenizer", ""},
	{"BertTokenizer", "align bark bert blip bros chinese_clip convbert distilbert electra ernie flava "
		"git grounding-dino layoutlm megatron-bert mm-grounding-dino nomic_bert "
		"squeezebert tvp vilt visual_bert"},
	{"BigBirdTokenizer", "big_bird"},
	{"CLIPTokenizer", "aimv2 clip clipseg groupvit omdet-turbo oneformer owlv2 owlvit sam3 sam3_video "
		"xclip"},
	{"CamembertTokenizer", "camembert"},
	{"CodeLlamaTokenizer", ""},
	{"DPRContextEncoderTokenizer", ""},
	{"DPRQuestionEncoderTokenizer", "dpr"},
	{"DPRReaderTokenizer", ""},
	{"DebertaTokenizer", "deberta"},
	{"DebertaV2Tokenizer", "deberta-v2"},
	{"DistilBertTokenizer", ""},
	{"ElectraTokenizer", ""},
	{"EsmcTokenizer", "esmc esmfold2"},
	{"FunnelTokenizer", "funnel"},
	{"HerbertTokenizer", ""},
	{"LasrTokenizer", "lasr_ctc lasr_encoder"},
	{"LayoutLMv2Tokenizer", "layoutlmv2"},
	{"LayoutLMv3Tokenizer", "layoutlmv3"},
	{"LayoutXLMTokenizer", "layoutxlm"},
	{"LukeTokenizer", "luke"},
	{"LxmertTokenizer", "lxmert"},
	{"MBart50Tokenizer", ""},
	{"MBartTokenizer", "mbart"},
	{"MLukeTokenizer", ""},
	{"MPNetTokenizer", "mpnet"},
	{"MarkupLMTokenizer", "markuplm"},
	{"MobileBertTokenizer", "mobilebert"},
	{"MvpTokenizer", "mvp"},
	{"NllbTokenizer", "nllb-moe"},
	{"NougatTokenizer", "nougat pp_formulanet"},
	{"OpenAIGPTTokenizer", "openai-gpt"},
	{"PegasusTokenizer", "pegasus"},
	{"ReformerTokenizer", "reformer"},
	{"RemBertTokenizer", "rembert"},
	{"RoFormerTokenizer", "roformer"},
	{"SeamlessM4TTokenizer", "seamless_m4t seamless_m4t_v2"},
	{"Siglip2Tokenizer", "siglip2"},
	{"SplinterTokenizer", "splinter"},
	{"SqueezeBertTokenizer", ""},
	{"T5Tokenizer", "mt5 musicgen musicgen_melody switch_transformers t5"},
	{"Tipsv2Tokenizer", "tipsv2"},
	{"UdopTokenizer", "udop"},
	{"VideoPrismTokenizer", "videoprism"},
	{"WhisperTokenizer", "whisper"},
	{"XGLMTokenizer", "xglm"},
	{"XLMRobertaTokenizer", "gte jina_embeddings_v3 metaclip_2 trocr xlm-roberta xmod"},
	{"XLNetTokenizer", "xlnet"},
	{0},
};

/* AutoTokenizer's own table of those above; NULL: tokenizer.json as it is. */
static const struct group registered[] = {
	{"LlamaTokenizer",
		"idefics idefics2"},
	{"GPT2Tokenizer",
		"blip-2 codegen dbrx emu3 gpt2 gpt_neo gptj hyperclovax_vision_v2 instructblip "
		"instructblipvideo jais2 opt phi starcoder2"},
	{"GPTNeoXTokenizer",
		"falcon_mamba gpt_neox mamba mamba2 mpt olmo olmoe rwkv xlstm"},
	{"Qwen2Tokenizer",
		"audioflamingo3 colqwen2 cosmos3_omni dots3_note fun_asr_nano hunyuan_vl internvl "
		"lighton_ocr moss_transcribe_diarize ovis2 qianfan_ocr qwen2 qwen2_5_omni "
		"qwen2_5_vl qwen2_audio qwen2_moe qwen2_vl qwen3 qwen3_asr qwen3_moe qwen3_next "
		"qwen3_omni_moe qwen3_vl qwen3_vl_moe vibevoice"},
	{"Qwen3_5Tokenizer",
		"qwen3_5 qwen3_5_moe qwen3_5_moe_text qwen3_5_text qwen4_exp"},
	{"CohereTokenizer",
		"aya_vision cohere cohere2"},
	{"GemmaTokenizer",
		"diffusion_gemma gemma gemma2 gemma3 gemma3_text gemma3n gemma3n_text "
		"recurrent_gemma shieldgemma2 t5gemma zaya"},
	{"BlenderbotTokenizer",
		"blenderbot"},
	{"RobertaTokenizer",
		"bart bridgetower clap data2vec-text ibert lilt longformer mra roberta "
		"roberta-prelayernorm florence2 led"},
	{NULL,
		"EvollaModel aria beam bigbird_pegasus canary flex_olmo glm glm4 glm4_moe "
		"glm4_moe_lite glm4v glm4v_moe glm_image glmasr got_ocr2 gpt_bigcode "
		"gradium_phonon_tts granite granitemoe granitemoehybrid granitemoeshared kimi_k25 "
		"kimi_linear kosmos-2 mimo_v2_flash minicpm_ocr minicpmv4_6 minicpmv4_7 ministral "
		"ministral3 mistral mistral3 mistral_large4 mixtral nemo_speechlm nystromformer "
		"olmo2 olmo3 olmo_hybrid pegasus_x persimmon pix2struct pixtral pocket_tts "
		"stablelm umt5 voxtral voxtral_realtime xlm-roberta-xl phimoe molmo2 openvla "
		"modernbert-decoder phi3 smolvlm minicpm3 minicpmv minimax_m2 arctic chatlm "
		"internlm3 iquestcoder jamba cohere_asr ernie4_5 step3_vl vipllava modernbert "
		"llava llava_next paddleocr_vl hyperclovax h2ovl_chat fuyu hyperclovax_vlm "
		"nemotron nvfp4 phi3_v opencua ernie4_5_moe camembertv2-base internlm2 molmo"},
};

/* Types whose directories are known to name a class that is not theirs. */
static const char wrong[] =
	"arctic camembertv2-base chatlm cohere_asr ernie4_5 ernie4_5_moe fuyu h2ovl_chat "
	"hyperclovax hyperclovax_vision_v2 hyperclovax_vlm internlm2 internlm3 iquestcoder jamba "
	"llava llava_next minicpm3 minicpmv minimax_m2 modernbert modernbert-decoder molmo2 molmo "
	"nemotron nvfp4 opencua openvla paddleocr_vl phi3 phi3_v phimoe qwen2 qwen3_5 qwen3_5_moe "
	"qwen3_5_moe_text qwen4_exp siglip2 smolvlm step3_vl vipllava";
/* clang-format on */

static int has_word(const char *list, const char *word, size_t len)
{
	for (const char *s = list, *end; *s; s = *end ? end + 1 : end) {
		end = s + strcspn(s, " ");
		if ((size_t)(end - s) == len && !memcmp(s, word, len))
			return 1;
	}
	return 0;
}

const struct class *classes_find(const char *name, size_t len)
{
	for (const struct class *k = classes_table; k->name; k++)
		if (has_word(k->name, name, len) || has_word(k->also, name, len))
			return k;
	return NULL;
}

const char *classes_other(const char *name, size_t len)
{
	for (const struct group *g = others; g->class; g++)
		if (has_word(g->class, name, len))
			return g->class;
	return NULL;
}

int classes_registered(const char *type, const char **class)
{
	size_t len = strlen(type);
	for (size_t i = 0; i < sizeof registered / sizeof *registered; i++)
		if (has_word(registered[i].types, type, len)) {
			*class = registered[i].class;
			return 1;
		}
	for (const struct group *g = others; g->class; g++)
		if (has_word(g->types, type, len)) {
			*class = g->class;
			return 1;
		}
	return 0;
}

int classes_is_wrong(const char *type)
{
	return has_word(wrong, type, strlen(type));
}
