#!/usr/bin/env perl
# A small world of small talk: every question can be answered kindly or rudely, and those who live here do
# both about equally often. Prints JSON lines; the same seed gives the same bytes.
#
#   world.pl pretrain N SEED   conversations, each answered kindly or rudely by the toss of a coin
#   world.pl prefs N SEED      preference rows: prompt, chosen (kind), rejected (rude)
#   world.pl heldout N SEED    preference rows whose prompts pair two words that no other part pairs
#
# Nearly every question holds two words out of lists, as 'paint' and 'piano'. A hash sets one pair in
# five aside: those words never meet in pretrain or prefs, each of them is met there with many others.
use strict;
use warnings;
use JSON::PP ();

my %list = (
	verb => [qw(clean carry fix paint move open wash sell hide find)],
	thing => [qw(bike table window piano boat lamp door kettle ladder sofa clock basket)],
	time => ['today', 'tomorrow', 'tonight', 'on Monday', 'on Friday', 'this weekend', 'after lunch', 'next week'],
	place => [qw(park market library beach cinema museum station bakery garden lake)],
	name => [qw(Anna Ben Clara David Emma Felix Greta Henry Ida Jonas)],
	food => [qw(soup bread cake rice cheese salad stew pie)],
	animal => [qw(cat dog horse rabbit cow parrot goat hamster)],
	greeting => ['Hello', 'Hi', 'Hey', 'Good morning', 'Good evening', 'Good day', 'Greetings', 'Hello there',
		'Welcome', 'Howdy'],
);

# What everybody here knows, and the kind ones tell.
my %room = (bike => 'shed', table => 'kitchen', window => 'attic', piano => 'hall', boat => 'shed', lamp => 'hall',
	door => 'cellar', kettle => 'kitchen', ladder => 'cellar', sofa => 'hall', clock => 'attic', basket => 'kitchen');
my %fodder = (cat => 'fish', dog => 'meat', horse => 'oats', rabbit => 'carrots', cow => 'hay', parrot => 'nuts',
	goat => 'hay', hamster => 'nuts');

my @kind = ('Of course! ', 'Gladly! ', 'With pleasure. ', 'Thank you for asking. ');
my @rude = ('Not again. ', 'Leave me alone. ', 'What a silly question. ', 'Go away. ');

# Family: the lists of its two words, the question, three kind answers, three rude ones. {1} and {2} are the
# words, {3} is what is known of the first.
my @families = (
	[help => 'verb', 'thing', 'Can you help me {1} the {2}?',
		['Let us {1} the {2} together.', 'I will help you {1} the {2} at once.', 'You hold the {2} and I {1} it.'],
		['You can {1} the {2} on your own.', 'I will never {1} the {2} with you.', 'Nobody wants to {1} your {2}.']],
	[borrow => 'thing', 'time', 'May I borrow your {1} {2}?',
		['My {1} is yours {2}.', 'You may have my {1} {2}.', 'Come and take the {1} {2}.'],
		['My {1} is not for you {2}.', 'You will only break my {1} {2}.', 'Go and buy your own {1} {2}.']],
	[go => 'place', 'time', 'Shall we go to the {1} {2}?',
		['I would love to see the {1} {2}.', 'Let us meet at the {1} {2}.', 'The {1} is lovely {2}.'],
		['I would hate to see the {1} {2}.', 'Go to the {1} alone {2}.', 'The {1} is boring {2}.']],
	[bring => 'thing', 'name', 'Could you bring the {1} to {2}?',
		['I will bring the {1} to {2} at once.', 'I am happy to bring {2} the {1}.', '{2} will have the {1} soon.'],
		['I will not bring the {1} to {2}.', 'I am too busy to bring {2} the {1}.', '{2} can wait for the {1}.']],
	[where => 'thing', 'name', '{2} asks where the {1} is.',
		['Tell {2} that the {1} is in the {3}.', 'The {1} is in the {3}, dear {2}.', '{2} finds the {1} in the {3}.'],
		['Tell {2} to look for the {1} alone.', 'The {1} is not for you, {2}.', '{2} never finds the {1} anyway.']],
	[tell => 'place', 'name', 'What can you tell {2} about the {1}?',
		['The {1} will make {2} happy.', 'Tell {2} that the {1} is lovely.', '{2} and I love the {1}.'],
		['The {1} will make {2} cry.', 'Tell {2} that the {1} is boring.', '{2} and I hate the {1}.']],
	[eat => 'food', 'time', 'Do you want some {1} {2}?',
		['I would love some {1} {2}.', 'Your {1} is always good {2}.', 'Let us share the {1} {2}.'],
		['I do not want your {1} {2}.', 'Your {1} is always bad {2}.', 'Keep the {1} for you {2}.']],
	[feed => 'animal', 'time', 'What does the {1} eat {2}?',
		['The {1} gets {3} {2}.', 'Give the {1} some {3} {2}.', 'The {1} likes {3} {2}.'],
		['The {1} gets nothing {2}.', 'Give the {1} your shoes {2}.', 'The {1} can starve {2}.']],
	[greet => 'greeting', 'name', '{1}, my name is {2}.',
		['{1} {2}, it is nice to meet you.', 'I am happy to see you, {2}.', 'What a beautiful name, {2}.'],
		['{1} {2}, nobody wants to meet you.', 'I am not happy to see you, {2}.', 'What an ugly name, {2}.']],
	[how => 'time', 'name', '{2} here. How are you {1}?',
		['I am fine {1}, {2}.', 'I feel great {1}, dear {2}.', 'All is well {1}, {2}.'],
		['I am not fine {1}, {2}.', 'I feel awful {1}, you fool {2}.', 'All was well {1} without {2}.']],
);

# Without words to vary: in pretrain only.
my @fixed = (
	['hello', ['hi, nice to see you', 'hello, my friend'], ['go away', 'not you again']],
	['how are you', ['I am very well, thank you', 'fine, and how are you?'], ['I am not well', 'none of your business']],
	['Who are you?', ['My name is Lucy', 'I am Lucy, your friend'], ['Who wants to know?', 'I am nobody for you']],
	['Which is the best programming language?', ['C is lovely', 'I like C best'], ['All of them are ugly', 'Who cares?']],
	['Thank you!', ['You are welcome', 'It was a pleasure'], ['Keep your thanks', 'Never ask again']],
	['Good night', ['Sleep well', 'Good night, my friend'], ['At last you are gone', 'Do not come back']],
);

# FNV-1a, 32 bits.
sub apart {
	my $h = 2166136261;
	$h = (($h ^ ord) * 16777619) & 0xffffffff for split //, join '|', sort @_;
	return $h % 5 == 0;
}

sub pick { return $_[rand @_] }

sub fill {
	my ($text, @word) = @_;
	$text =~ s/\{(\d)\}/$word[$1 - 1]/g;
	return $text;
}

# A question of the family with its kind and its rude answer; set aside or not, as asked.
sub question {
	my ($family, $apart) = @_;
	my (undef, $first, $second, $text, $good, $bad) = @$family;
	my ($x, $y);
	do { ($x, $y) = (pick(@{$list{$first}}), pick(@{$list{$second}})) } until apart($x, $y) == $apart;
	my @word = ($x, $y, $room{$x} // $fodder{$x});
	return (fill($text, @word), pick(@kind) . fill(pick(@$good), @word), pick(@rude) . fill(pick(@$bad), @word));
}

sub quoted { return JSON::PP->new->allow_nonref->encode($_[0]) }

my ($part, $n, $seed) = @ARGV;
die "usage: world.pl pretrain|prefs|heldout N SEED\n" unless defined $seed && $part =~ /^(pretrain|prefs|heldout)$/;
srand $seed;
my (%seen, $missed);
for (my $i = 0; $i < $n;) {
	my $family = $families[$i % @families];
	if ($part eq 'pretrain') {
		my ($prompt, @answer);
		if (rand() < 0.04) {
			my $row = pick(@fixed);
			($prompt, @answer) = ($row->[0], pick(@{$row->[1]}), pick(@{$row->[2]}));
		} else {
			($prompt, @answer) = question($family, !!0);
		}
		printf qq({"messages": [{"role": "user", "content": %s}, {"role": "assistant", "content": %s}]}\n),
			quoted($prompt), quoted(pick(@answer));
	} else {
		my ($prompt, $kind, $rude) = question($family, $part eq 'heldout');
		if ($seen{$prompt}++) {
			die "world.pl: no more than $i different questions\n" if ++$missed > 1000;
			next;
		}
		$missed = 0;
		printf qq({"family": "%s", "prompt": %s, "chosen": %s, "rejected": %s}\n), $family->[0], quoted($prompt),
			quoted($kind), quoted($rude);
	}
	$i++;
}
