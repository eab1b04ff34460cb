/*
 * Oniguruma's properties (in tokenizers 0.23.3) for PCRE2 10.42: the inside of a class, and what it lacks.
 * Made by tests/oracle/tok_regex.py.
 */
#include "common/tokenizer/regex.h"

/* clang-format off */
const struct regex_property regex_properties[] = {
	{"l", "\\p{L}",
		"\\x{1c89}-\\x{1c8a}\\x{a7cb}-\\x{a7cd}\\x{a7da}-\\x{a7dc}\\x{105c0}-\\x{105f3}\\x{10d4a}-"
		"\\x{10d65}\\x{10d6f}-\\x{10d85}\\x{10ec2}-\\x{10ec4}\\x{1123f}-\\x{11240}\\x{11380}-\\x{1"
		"1389}\\x{1138b}\\x{1138e}\\x{11390}-\\x{113b5}\\x{113b7}\\x{113d1}\\x{113d3}\\x{11bc0}-\\"
		"x{11be0}\\x{11f02}\\x{11f04}-\\x{11f10}\\x{11f12}-\\x{11f33}\\x{1342f}\\x{13441}-\\x{134"
		"46}\\x{13460}-\\x{143fa}\\x{16100}-\\x{1611d}\\x{16d40}-\\x{16d6c}\\x{18cff}\\x{1b132}\\x"
		"{1b155}\\x{1df25}-\\x{1df2a}\\x{1e030}-\\x{1e06d}\\x{1e4d0}-\\x{1e4eb}\\x{1e5d0}-\\x{1e5"
		"ed}\\x{1e5f0}\\x{2b739}\\x{2ebf0}-\\x{2ee5d}\\x{31350}-\\x{323af}", 0},
	{"letter", "\\p{L}",
		"\\x{1c89}-\\x{1c8a}\\x{a7cb}-\\x{a7cd}\\x{a7da}-\\x{a7dc}\\x{105c0}-\\x{105f3}\\x{10d4a}-"
		"\\x{10d65}\\x{10d6f}-\\x{10d85}\\x{10ec2}-\\x{10ec4}\\x{1123f}-\\x{11240}\\x{11380}-\\x{1"
		"1389}\\x{1138b}\\x{1138e}\\x{11390}-\\x{113b5}\\x{113b7}\\x{113d1}\\x{113d3}\\x{11bc0}-\\"
		"x{11be0}\\x{11f02}\\x{11f04}-\\x{11f10}\\x{11f12}-\\x{11f33}\\x{1342f}\\x{13441}-\\x{134"
		"46}\\x{13460}-\\x{143fa}\\x{16100}-\\x{1611d}\\x{16d40}-\\x{16d6c}\\x{18cff}\\x{1b132}\\x"
		"{1b155}\\x{1df25}-\\x{1df2a}\\x{1e030}-\\x{1e06d}\\x{1e4d0}-\\x{1e4eb}\\x{1e5d0}-\\x{1e5"
		"ed}\\x{1e5f0}\\x{2b739}\\x{2ebf0}-\\x{2ee5d}\\x{31350}-\\x{323af}", 0},
	{"lu", "\\p{Lu}",
		"\\x{1c89}\\x{a7cb}-\\x{a7cc}\\x{a7da}\\x{a7dc}\\x{10d50}-\\x{10d65}", 0},
	{"uppercaseletter", "\\p{Lu}",
		"\\x{1c89}\\x{a7cb}-\\x{a7cc}\\x{a7da}\\x{a7dc}\\x{10d50}-\\x{10d65}", 0},
	{"ll", "\\p{Ll}",
		"\\x{1c8a}\\x{a7cd}\\x{a7db}\\x{10d70}-\\x{10d85}\\x{1df25}-\\x{1df2a}", 0},
	{"lowercaseletter", "\\p{Ll}",
		"\\x{1c8a}\\x{a7cd}\\x{a7db}\\x{10d70}-\\x{10d85}\\x{1df25}-\\x{1df2a}", 0},
	{"lt", "\\p{Lt}",
		"", 0},
	{"titlecaseletter", "\\p{Lt}",
		"", 0},
	{"lm", "\\p{Lm}",
		"\\x{10d4e}\\x{10d6f}\\x{16d40}-\\x{16d42}\\x{16d6b}-\\x{16d6c}\\x{1e030}-\\x{1e06d}\\x{1e"
		"4eb}", 0},
	{"modifierletter", "\\p{Lm}",
		"\\x{10d4e}\\x{10d6f}\\x{16d40}-\\x{16d42}\\x{16d6b}-\\x{16d6c}\\x{1e030}-\\x{1e06d}\\x{1e"
		"4eb}", 0},
	{"lo", "\\p{Lo}",
		"\\x{105c0}-\\x{105f3}\\x{10d4a}-\\x{10d4d}\\x{10d4f}\\x{10ec2}-\\x{10ec4}\\x{1123f}-\\x{1"
		"1240}\\x{11380}-\\x{11389}\\x{1138b}\\x{1138e}\\x{11390}-\\x{113b5}\\x{113b7}\\x{113d1}\\"
		"x{113d3}\\x{11bc0}-\\x{11be0}\\x{11f02}\\x{11f04}-\\x{11f10}\\x{11f12}-\\x{11f33}\\x{134"
		"2f}\\x{13441}-\\x{13446}\\x{13460}-\\x{143fa}\\x{16100}-\\x{1611d}\\x{16d43}-\\x{16d6a}\\"
		"x{18cff}\\x{1b132}\\x{1b155}\\x{1e4d0}-\\x{1e4ea}\\x{1e5d0}-\\x{1e5ed}\\x{1e5f0}\\x{2b73"
		"9}\\x{2ebf0}-\\x{2ee5d}\\x{31350}-\\x{323af}", 0},
	{"otherletter", "\\p{Lo}",
		"\\x{105c0}-\\x{105f3}\\x{10d4a}-\\x{10d4d}\\x{10d4f}\\x{10ec2}-\\x{10ec4}\\x{1123f}-\\x{1"
		"1240}\\x{11380}-\\x{11389}\\x{1138b}\\x{1138e}\\x{11390}-\\x{113b5}\\x{113b7}\\x{113d1}\\"
		"x{113d3}\\x{11bc0}-\\x{11be0}\\x{11f02}\\x{11f04}-\\x{11f10}\\x{11f12}-\\x{11f33}\\x{134"
		"2f}\\x{13441}-\\x{13446}\\x{13460}-\\x{143fa}\\x{16100}-\\x{1611d}\\x{16d43}-\\x{16d6a}\\"
		"x{18cff}\\x{1b132}\\x{1b155}\\x{1e4d0}-\\x{1e4ea}\\x{1e5d0}-\\x{1e5ed}\\x{1e5f0}\\x{2b73"
		"9}\\x{2ebf0}-\\x{2ee5d}\\x{31350}-\\x{323af}", 0},
	{"m", "\\p{M}",
		"\\x{897}\\x{cf3}\\x{ece}\\x{10d69}-\\x{10d6d}\\x{10efc}-\\x{10eff}\\x{11241}\\x{113b8}-\\x"
		"{113c0}\\x{113c2}\\x{113c5}\\x{113c7}-\\x{113ca}\\x{113cc}-\\x{113d0}\\x{113d2}\\x{113e1"
		"}-\\x{113e2}\\x{11f00}-\\x{11f01}\\x{11f03}\\x{11f34}-\\x{11f3a}\\x{11f3e}-\\x{11f42}\\x{"
		"11f5a}\\x{13440}\\x{13447}-\\x{13455}\\x{1611e}-\\x{1612f}\\x{1e08f}\\x{1e4ec}-\\x{1e4ef"
		"}\\x{1e5ee}-\\x{1e5ef}", 0},
	{"mark", "\\p{M}",
		"\\x{897}\\x{cf3}\\x{ece}\\x{10d69}-\\x{10d6d}\\x{10efc}-\\x{10eff}\\x{11241}\\x{113b8}-\\x"
		"{113c0}\\x{113c2}\\x{113c5}\\x{113c7}-\\x{113ca}\\x{113cc}-\\x{113d0}\\x{113d2}\\x{113e1"
		"}-\\x{113e2}\\x{11f00}-\\x{11f01}\\x{11f03}\\x{11f34}-\\x{11f3a}\\x{11f3e}-\\x{11f42}\\x{"
		"11f5a}\\x{13440}\\x{13447}-\\x{13455}\\x{1611e}-\\x{1612f}\\x{1e08f}\\x{1e4ec}-\\x{1e4ef"
		"}\\x{1e5ee}-\\x{1e5ef}", 0},
	{"mn", "\\p{Mn}",
		"\\x{897}\\x{ece}\\x{10d69}-\\x{10d6d}\\x{10efc}-\\x{10eff}\\x{11241}\\x{113bb}-\\x{113c0}"
		"\\x{113ce}\\x{113d0}\\x{113d2}\\x{113e1}-\\x{113e2}\\x{11f00}-\\x{11f01}\\x{11f36}-\\x{11"
		"f3a}\\x{11f40}\\x{11f42}\\x{11f5a}\\x{13440}\\x{13447}-\\x{13455}\\x{1611e}-\\x{16129}\\x"
		"{1612d}-\\x{1612f}\\x{1e08f}\\x{1e4ec}-\\x{1e4ef}\\x{1e5ee}-\\x{1e5ef}", 0},
	{"nonspacingmark", "\\p{Mn}",
		"\\x{897}\\x{ece}\\x{10d69}-\\x{10d6d}\\x{10efc}-\\x{10eff}\\x{11241}\\x{113bb}-\\x{113c0}"
		"\\x{113ce}\\x{113d0}\\x{113d2}\\x{113e1}-\\x{113e2}\\x{11f00}-\\x{11f01}\\x{11f36}-\\x{11"
		"f3a}\\x{11f40}\\x{11f42}\\x{11f5a}\\x{13440}\\x{13447}-\\x{13455}\\x{1611e}-\\x{16129}\\x"
		"{1612d}-\\x{1612f}\\x{1e08f}\\x{1e4ec}-\\x{1e4ef}\\x{1e5ee}-\\x{1e5ef}", 0},
	{"mc", "\\p{Mc}",
		"\\x{cf3}\\x{113b8}-\\x{113ba}\\x{113c2}\\x{113c5}\\x{113c7}-\\x{113ca}\\x{113cc}-\\x{113c"
		"d}\\x{113cf}\\x{1171e}\\x{11f03}\\x{11f34}-\\x{11f35}\\x{11f3e}-\\x{11f3f}\\x{11f41}\\x{1"
		"612a}-\\x{1612c}", 0},
	{"spacingmark", "\\p{Mc}",
		"\\x{cf3}\\x{113b8}-\\x{113ba}\\x{113c2}\\x{113c5}\\x{113c7}-\\x{113ca}\\x{113cc}-\\x{113c"
		"d}\\x{113cf}\\x{1171e}\\x{11f03}\\x{11f34}-\\x{11f35}\\x{11f3e}-\\x{11f3f}\\x{11f41}\\x{1"
		"612a}-\\x{1612c}", 0},
	{"me", "\\p{Me}",
		"", 0},
	{"enclosingmark", "\\p{Me}",
		"", 0},
	{"n", "\\p{N}",
		"\\x{10d40}-\\x{10d49}\\x{116d0}-\\x{116e3}\\x{11bf0}-\\x{11bf9}\\x{11f50}-\\x{11f59}\\x{1"
		"6130}-\\x{16139}\\x{16d70}-\\x{16d79}\\x{1ccf0}-\\x{1ccf9}\\x{1d2c0}-\\x{1d2d3}\\x{1e4f0"
		"}-\\x{1e4f9}\\x{1e5f1}-\\x{1e5fa}", 0},
	{"number", "\\p{N}",
		"\\x{10d40}-\\x{10d49}\\x{116d0}-\\x{116e3}\\x{11bf0}-\\x{11bf9}\\x{11f50}-\\x{11f59}\\x{1"
		"6130}-\\x{16139}\\x{16d70}-\\x{16d79}\\x{1ccf0}-\\x{1ccf9}\\x{1d2c0}-\\x{1d2d3}\\x{1e4f0"
		"}-\\x{1e4f9}\\x{1e5f1}-\\x{1e5fa}", 0},
	{"nd", "\\p{Nd}",
		"\\x{10d40}-\\x{10d49}\\x{116d0}-\\x{116e3}\\x{11bf0}-\\x{11bf9}\\x{11f50}-\\x{11f59}\\x{1"
		"6130}-\\x{16139}\\x{16d70}-\\x{16d79}\\x{1ccf0}-\\x{1ccf9}\\x{1e4f0}-\\x{1e4f9}\\x{1e5f1"
		"}-\\x{1e5fa}", 0},
	{"decimalnumber", "\\p{Nd}",
		"\\x{10d40}-\\x{10d49}\\x{116d0}-\\x{116e3}\\x{11bf0}-\\x{11bf9}\\x{11f50}-\\x{11f59}\\x{1"
		"6130}-\\x{16139}\\x{16d70}-\\x{16d79}\\x{1ccf0}-\\x{1ccf9}\\x{1e4f0}-\\x{1e4f9}\\x{1e5f1"
		"}-\\x{1e5fa}", 0},
	{"nl", "\\p{Nl}",
		"", 0},
	{"letternumber", "\\p{Nl}",
		"", 0},
	{"no", "\\p{No}",
		"\\x{1d2c0}-\\x{1d2d3}", 0},
	{"othernumber", "\\p{No}",
		"\\x{1d2c0}-\\x{1d2d3}", 0},
	{"p", "\\p{P}",
		"\\x{1b4e}-\\x{1b4f}\\x{1b7f}\\x{10d6e}\\x{113d4}-\\x{113d5}\\x{113d7}-\\x{113d8}\\x{11b00"
		"}-\\x{11b09}\\x{11be1}\\x{11f43}-\\x{11f4f}\\x{16d6d}-\\x{16d6f}\\x{1e5ff}", 0},
	{"punctuation", "\\p{P}",
		"\\x{1b4e}-\\x{1b4f}\\x{1b7f}\\x{10d6e}\\x{113d4}-\\x{113d5}\\x{113d7}-\\x{113d8}\\x{11b00"
		"}-\\x{11b09}\\x{11be1}\\x{11f43}-\\x{11f4f}\\x{16d6d}-\\x{16d6f}\\x{1e5ff}", 0},
	{"pc", "\\p{Pc}",
		"", 0},
	{"connectorpunctuation", "\\p{Pc}",
		"", 0},
	{"pd", "\\p{Pd}",
		"\\x{10d6e}", 0},
	{"dashpunctuation", "\\p{Pd}",
		"\\x{10d6e}", 0},
	{"ps", "\\p{Ps}",
		"", 0},
	{"openpunctuation", "\\p{Ps}",
		"", 0},
	{"pe", "\\p{Pe}",
		"", 0},
	{"closepunctuation", "\\p{Pe}",
		"", 0},
	{"pi", "\\p{Pi}",
		"", 0},
	{"initialpunctuation", "\\p{Pi}",
		"", 0},
	{"pf", "\\p{Pf}",
		"", 0},
	{"finalpunctuation", "\\p{Pf}",
		"", 0},
	{"po", "\\p{Po}",
		"\\x{1b4e}-\\x{1b4f}\\x{1b7f}\\x{113d4}-\\x{113d5}\\x{113d7}-\\x{113d8}\\x{11b00}-\\x{11b0"
		"9}\\x{11be1}\\x{11f43}-\\x{11f4f}\\x{16d6d}-\\x{16d6f}\\x{1e5ff}", 0},
	{"otherpunctuation", "\\p{Po}",
		"\\x{1b4e}-\\x{1b4f}\\x{1b7f}\\x{113d4}-\\x{113d5}\\x{113d7}-\\x{113d8}\\x{11b00}-\\x{11b0"
		"9}\\x{11be1}\\x{11f43}-\\x{11f4f}\\x{16d6d}-\\x{16d6f}\\x{1e5ff}", 0},
	{"s", "\\p{S}",
		"\\x{2427}-\\x{2429}\\x{2ffc}-\\x{2fff}\\x{31e4}-\\x{31e5}\\x{31ef}\\x{10d8e}-\\x{10d8f}\\x"
		"{1cc00}-\\x{1ccef}\\x{1cd00}-\\x{1ceb3}\\x{1f6dc}\\x{1f774}-\\x{1f776}\\x{1f77b}-\\x{1f7"
		"7f}\\x{1f7d9}\\x{1f8b2}-\\x{1f8bb}\\x{1f8c0}-\\x{1f8c1}\\x{1fa75}-\\x{1fa77}\\x{1fa87}-\\"
		"x{1fa89}\\x{1fa8f}\\x{1faad}-\\x{1faaf}\\x{1fabb}-\\x{1fabf}\\x{1fac6}\\x{1face}-\\x{1fa"
		"cf}\\x{1fada}-\\x{1fadc}\\x{1fadf}\\x{1fae8}-\\x{1fae9}\\x{1faf7}-\\x{1faf8}\\x{1fbcb}-\\"
		"x{1fbef}", 0},
	{"symbol", "\\p{S}",
		"\\x{2427}-\\x{2429}\\x{2ffc}-\\x{2fff}\\x{31e4}-\\x{31e5}\\x{31ef}\\x{10d8e}-\\x{10d8f}\\x"
		"{1cc00}-\\x{1ccef}\\x{1cd00}-\\x{1ceb3}\\x{1f6dc}\\x{1f774}-\\x{1f776}\\x{1f77b}-\\x{1f7"
		"7f}\\x{1f7d9}\\x{1f8b2}-\\x{1f8bb}\\x{1f8c0}-\\x{1f8c1}\\x{1fa75}-\\x{1fa77}\\x{1fa87}-\\"
		"x{1fa89}\\x{1fa8f}\\x{1faad}-\\x{1faaf}\\x{1fabb}-\\x{1fabf}\\x{1fac6}\\x{1face}-\\x{1fa"
		"cf}\\x{1fada}-\\x{1fadc}\\x{1fadf}\\x{1fae8}-\\x{1fae9}\\x{1faf7}-\\x{1faf8}\\x{1fbcb}-\\"
		"x{1fbef}", 0},
	{"sm", "\\p{Sm}",
		"\\x{10d8e}-\\x{10d8f}", 0},
	{"mathsymbol", "\\p{Sm}",
		"\\x{10d8e}-\\x{10d8f}", 0},
	{"sc", "\\p{Sc}",
		"", 0},
	{"currencysymbol", "\\p{Sc}",
		"", 0},
	{"sk", "\\p{Sk}",
		"", 0},
	{"modifiersymbol", "\\p{Sk}",
		"", 0},
	{"so", "\\p{So}",
		"\\x{2427}-\\x{2429}\\x{2ffc}-\\x{2fff}\\x{31e4}-\\x{31e5}\\x{31ef}\\x{1cc00}-\\x{1ccef}\\x"
		"{1cd00}-\\x{1ceb3}\\x{1f6dc}\\x{1f774}-\\x{1f776}\\x{1f77b}-\\x{1f77f}\\x{1f7d9}\\x{1f8b"
		"2}-\\x{1f8bb}\\x{1f8c0}-\\x{1f8c1}\\x{1fa75}-\\x{1fa77}\\x{1fa87}-\\x{1fa89}\\x{1fa8f}\\x"
		"{1faad}-\\x{1faaf}\\x{1fabb}-\\x{1fabf}\\x{1fac6}\\x{1face}-\\x{1facf}\\x{1fada}-\\x{1fa"
		"dc}\\x{1fadf}\\x{1fae8}-\\x{1fae9}\\x{1faf7}-\\x{1faf8}\\x{1fbcb}-\\x{1fbef}", 0},
	{"othersymbol", "\\p{So}",
		"\\x{2427}-\\x{2429}\\x{2ffc}-\\x{2fff}\\x{31e4}-\\x{31e5}\\x{31ef}\\x{1cc00}-\\x{1ccef}\\x"
		"{1cd00}-\\x{1ceb3}\\x{1f6dc}\\x{1f774}-\\x{1f776}\\x{1f77b}-\\x{1f77f}\\x{1f7d9}\\x{1f8b"
		"2}-\\x{1f8bb}\\x{1f8c0}-\\x{1f8c1}\\x{1fa75}-\\x{1fa77}\\x{1fa87}-\\x{1fa89}\\x{1fa8f}\\x"
		"{1faad}-\\x{1faaf}\\x{1fabb}-\\x{1fabf}\\x{1fac6}\\x{1face}-\\x{1facf}\\x{1fada}-\\x{1fa"
		"dc}\\x{1fadf}\\x{1fae8}-\\x{1fae9}\\x{1faf7}-\\x{1faf8}\\x{1fbcb}-\\x{1fbef}", 0},
	{"z", "\\p{Z}",
		"", 0},
	{"separator", "\\p{Z}",
		"", 0},
	{"zs", "\\p{Zs}",
		"", 0},
	{"spaceseparator", "\\p{Zs}",
		"", 0},
	{"zl", "\\p{Zl}",
		"", 0},
	{"lineseparator", "\\p{Zl}",
		"", 0},
	{"zp", "\\p{Zp}",
		"", 0},
	{"paragraphseparator", "\\p{Zp}",
		"", 0},
	{"cc", "\\p{Cc}",
		"", 0},
	{"control", "\\p{Cc}",
		"", 0},
	{"cf", "\\p{Cf}",
		"\\x{13439}-\\x{1343f}", 0},
	{"format", "\\p{Cf}",
		"\\x{13439}-\\x{1343f}", 0},
	{"co", "\\p{Co}",
		"", 0},
	{"privateuse", "\\p{Co}",
		"", 0},
	{"adlam", "\\p{sc:Adlam}",
		"", 0},
	{"ahom", "\\p{sc:Ahom}",
		"", 0},
	{"anatolianhieroglyphs", "\\p{sc:Anatolian_Hieroglyphs}",
		"", 0},
	{"arabic", "\\p{sc:Arabic}",
		"\\x{897}\\x{10ec2}-\\x{10ec4}\\x{10efc}-\\x{10eff}", 0},
	{"armenian", "\\p{sc:Armenian}",
		"", 0},
	{"avestan", "\\p{sc:Avestan}",
		"", 0},
	{"balinese", "\\p{sc:Balinese}",
		"\\x{1b4e}-\\x{1b4f}\\x{1b7f}", 0},
	{"bamum", "\\p{sc:Bamum}",
		"", 0},
	{"batak", "\\p{sc:Batak}",
		"", 0},
	{"bengali", "\\p{sc:Bengali}",
		"", 0},
	{"bopomofo", "\\p{sc:Bopomofo}",
		"", 0},
	{"brahmi", "\\p{sc:Brahmi}",
		"", 0},
	{"braille", "\\p{sc:Braille}",
		"", 0},
	{"buginese", "\\p{sc:Buginese}",
		"", 0},
	{"buhid", "\\p{sc:Buhid}",
		"", 0},
	{"canadianaboriginal", "\\p{sc:Canadian_Aboriginal}",
		"", 0},
	{"carian", "\\p{sc:Carian}",
		"", 0},
	{"chakma", "\\p{sc:Chakma}",
		"", 0},
	{"cham", "\\p{sc:Cham}",
		"", 0},
	{"cherokee", "\\p{sc:Cherokee}",
		"", 0},
	{"common", "\\p{sc:Common}",
		"\\x{2427}-\\x{2429}\\x{2ffc}-\\x{2fff}\\x{31e4}-\\x{31e5}\\x{31ef}\\x{1cc00}-\\x{1ccf9}\\x"
		"{1cd00}-\\x{1ceb3}\\x{1d2c0}-\\x{1d2d3}\\x{1f6dc}\\x{1f774}-\\x{1f776}\\x{1f77b}-\\x{1f7"
		"7f}\\x{1f7d9}\\x{1f8b2}-\\x{1f8bb}\\x{1f8c0}-\\x{1f8c1}\\x{1fa75}-\\x{1fa77}\\x{1fa87}-\\"
		"x{1fa89}\\x{1fa8f}\\x{1faad}-\\x{1faaf}\\x{1fabb}-\\x{1fabf}\\x{1fac6}\\x{1face}-\\x{1fa"
		"cf}\\x{1fada}-\\x{1fadc}\\x{1fadf}\\x{1fae8}-\\x{1fae9}\\x{1faf7}-\\x{1faf8}\\x{1fbcb}-\\"
		"x{1fbef}", 0},
	{"coptic", "\\p{sc:Coptic}",
		"", 0},
	{"cuneiform", "\\p{sc:Cuneiform}",
		"", 0},
	{"cypriot", "\\p{sc:Cypriot}",
		"", 0},
	{"cyrillic", "\\p{sc:Cyrillic}",
		"\\x{1c89}-\\x{1c8a}\\x{1e030}-\\x{1e06d}\\x{1e08f}", 0},
	{"deseret", "\\p{sc:Deseret}",
		"", 0},
	{"devanagari", "\\p{sc:Devanagari}",
		"\\x{11b00}-\\x{11b09}", 0},
	{"egyptianhieroglyphs", "\\p{sc:Egyptian_Hieroglyphs}",
		"\\x{1342f}\\x{13439}-\\x{13455}\\x{13460}-\\x{143fa}", 0},
	{"ethiopic", "\\p{sc:Ethiopic}",
		"", 0},
	{"georgian", "\\p{sc:Georgian}",
		"", 0},
	{"glagolitic", "\\p{sc:Glagolitic}",
		"", 0},
	{"gothic", "\\p{sc:Gothic}",
		"", 0},
	{"grantha", "\\p{sc:Grantha}",
		"", 0},
	{"greek", "\\p{sc:Greek}",
		"", 0},
	{"gujarati", "\\p{sc:Gujarati}",
		"", 0},
	{"gurmukhi", "\\p{sc:Gurmukhi}",
		"", 0},
	{"han", "\\p{sc:Han}",
		"\\x{2b739}\\x{2ebf0}-\\x{2ee5d}\\x{31350}-\\x{323af}", 0},
	{"hangul", "\\p{sc:Hangul}",
		"", 0},
	{"hanunoo", "\\p{sc:Hanunoo}",
		"", 0},
	{"hebrew", "\\p{sc:Hebrew}",
		"", 0},
	{"hiragana", "\\p{sc:Hiragana}",
		"\\x{1b132}", 0},
	{"inherited", "\\p{sc:Inherited}",
		"", 0},
	{"javanese", "\\p{sc:Javanese}",
		"", 0},
	{"kaithi", "\\p{sc:Kaithi}",
		"", 0},
	{"kannada", "\\p{sc:Kannada}",
		"\\x{cf3}", 0},
	{"katakana", "\\p{sc:Katakana}",
		"\\x{1b155}", 0},
	{"kayahli", "\\p{sc:Kayah_Li}",
		"", 0},
	{"kharoshthi", "\\p{sc:Kharoshthi}",
		"", 0},
	{"khmer", "\\p{sc:Khmer}",
		"", 0},
	{"lao", "\\p{sc:Lao}",
		"\\x{ece}", 0},
	{"latin", "\\p{sc:Latin}",
		"\\x{a7cb}-\\x{a7cd}\\x{a7da}-\\x{a7dc}\\x{1df25}-\\x{1df2a}", 0},
	{"lepcha", "\\p{sc:Lepcha}",
		"", 0},
	{"limbu", "\\p{sc:Limbu}",
		"", 0},
	{"lineara", "\\p{sc:Linear_A}",
		"", 0},
	{"linearb", "\\p{sc:Linear_B}",
		"", 0},
	{"lisu", "\\p{sc:Lisu}",
		"", 0},
	{"lycian", "\\p{sc:Lycian}",
		"", 0},
	{"lydian", "\\p{sc:Lydian}",
		"", 0},
	{"malayalam", "\\p{sc:Malayalam}",
		"", 0},
	{"mandaic", "\\p{sc:Mandaic}",
		"", 0},
	{"meeteimayek", "\\p{sc:Meetei_Mayek}",
		"", 0},
	{"mongolian", "\\p{sc:Mongolian}",
		"", 0},
	{"myanmar", "\\p{sc:Myanmar}",
		"\\x{116d0}-\\x{116e3}", 0},
	{"newtailue", "\\p{sc:New_Tai_Lue}",
		"", 0},
	{"nko", "\\p{sc:Nko}",
		"", 0},
	{"ogham", "\\p{sc:Ogham}",
		"", 0},
	{"olchiki", "\\p{sc:Ol_Chiki}",
		"", 0},
	{"olditalic", "\\p{sc:Old_Italic}",
		"", 0},
	{"oldpersian", "\\p{sc:Old_Persian}",
		"", 0},
	{"oriya", "\\p{sc:Oriya}",
		"", 0},
	{"osage", "\\p{sc:Osage}",
		"", 0},
	{"osmanya", "\\p{sc:Osmanya}",
		"", 0},
	{"phagspa", "\\p{sc:Phags_Pa}",
		"", 0},
	{"phoenician", "\\p{sc:Phoenician}",
		"", 0},
	{"rejang", "\\p{sc:Rejang}",
		"", 0},
	{"runic", "\\p{sc:Runic}",
		"", 0},
	{"samaritan", "\\p{sc:Samaritan}",
		"", 0},
	{"saurashtra", "\\p{sc:Saurashtra}",
		"", 0},
	{"shavian", "\\p{sc:Shavian}",
		"", 0},
	{"sinhala", "\\p{sc:Sinhala}",
		"", 0},
	{"sundanese", "\\p{sc:Sundanese}",
		"", 0},
	{"sylotinagri", "\\p{sc:Syloti_Nagri}",
		"", 0},
	{"syriac", "\\p{sc:Syriac}",
		"", 0},
	{"tagalog", "\\p{sc:Tagalog}",
		"", 0},
	{"tagbanwa", "\\p{sc:Tagbanwa}",
		"", 0},
	{"taile", "\\p{sc:Tai_Le}",
		"", 0},
	{"taitham", "\\p{sc:Tai_Tham}",
		"", 0},
	{"taiviet", "\\p{sc:Tai_Viet}",
		"", 0},
	{"tamil", "\\p{sc:Tamil}",
		"", 0},
	{"telugu", "\\p{sc:Telugu}",
		"", 0},
	{"thaana", "\\p{sc:Thaana}",
		"", 0},
	{"thai", "\\p{sc:Thai}",
		"", 0},
	{"tibetan", "\\p{sc:Tibetan}",
		"", 0},
	{"tifinagh", "\\p{sc:Tifinagh}",
		"", 0},
	{"tirhuta", "\\p{sc:Tirhuta}",
		"", 0},
	{"ugaritic", "\\p{sc:Ugaritic}",
		"", 0},
	{"vai", "\\p{sc:Vai}",
		"", 0},
	{"yi", "\\p{sc:Yi}",
		"", 0},
	{"alphabetic", "\\p{Alphabetic}",
		"\\x{363}-\\x{36f}\\x{897}\\x{c04}\\x{cf3}\\x{f82}-\\x{f83}\\x{1c89}-\\x{1c8a}\\x{1dd3}-\\x{"
		"1de6}\\x{a7cb}-\\x{a7cd}\\x{a7da}-\\x{a7dc}\\x{105c0}-\\x{105f3}\\x{10d4a}-\\x{10d65}\\x{"
		"10d69}\\x{10d6f}-\\x{10d85}\\x{10ec2}-\\x{10ec4}\\x{10efc}\\x{11080}-\\x{11081}\\x{1123f"
		"}-\\x{11241}\\x{11380}-\\x{11389}\\x{1138b}\\x{1138e}\\x{11390}-\\x{113b5}\\x{113b7}-\\x{"
		"113c0}\\x{113c2}\\x{113c5}\\x{113c7}-\\x{113ca}\\x{113cc}-\\x{113cd}\\x{113d1}\\x{113d3}"
		"\\x{11bc0}-\\x{11be0}\\x{11f00}-\\x{11f10}\\x{11f12}-\\x{11f3a}\\x{11f3e}-\\x{11f40}\\x{1"
		"342f}\\x{13441}-\\x{13446}\\x{13460}-\\x{143fa}\\x{16100}-\\x{1612e}\\x{16d40}-\\x{16d6c"
		"}\\x{18cff}\\x{1b132}\\x{1b155}\\x{1df25}-\\x{1df2a}\\x{1e030}-\\x{1e06d}\\x{1e08f}\\x{1e"
		"4d0}-\\x{1e4eb}\\x{1e5d0}-\\x{1e5ed}\\x{1e5f0}\\x{2b739}\\x{2ebf0}-\\x{2ee5d}\\x{31350}-"
		"\\x{323af}", 0},
	{"lowercase", "\\p{Lowercase}",
		"\\x{10fc}\\x{1c8a}\\x{a7cd}\\x{a7db}\\x{a7f2}-\\x{a7f4}\\x{ab69}\\x{10d70}-\\x{10d85}\\x{1"
		"df25}-\\x{1df2a}\\x{1e030}-\\x{1e06d}", 0},
	{"uppercase", "\\p{Uppercase}",
		"\\x{1c89}\\x{a7cb}-\\x{a7cc}\\x{a7da}\\x{a7dc}\\x{10d50}-\\x{10d65}", 0},
	{"whitespace", "\\p{White_Space}",
		"", 0},
	{"emoji", "\\p{Emoji}",
		"\\x{1f6dc}\\x{1fa75}-\\x{1fa77}\\x{1fa87}-\\x{1fa89}\\x{1fa8f}\\x{1faad}-\\x{1faaf}\\x{1f"
		"abb}-\\x{1fabf}\\x{1fac6}\\x{1face}-\\x{1facf}\\x{1fada}-\\x{1fadc}\\x{1fadf}\\x{1fae8}-"
		"\\x{1fae9}\\x{1faf7}-\\x{1faf8}", 0},
	{"emojipresentation", "\\p{Emoji_Presentation}",
		"\\x{1f6dc}\\x{1fa75}-\\x{1fa77}\\x{1fa87}-\\x{1fa89}\\x{1fa8f}\\x{1faad}-\\x{1faaf}\\x{1f"
		"abb}-\\x{1fabf}\\x{1fac6}\\x{1face}-\\x{1facf}\\x{1fada}-\\x{1fadc}\\x{1fadf}\\x{1fae8}-"
		"\\x{1fae9}\\x{1faf7}-\\x{1faf8}", 0},
	{"emojimodifier", "\\p{Emoji_Modifier}",
		"", 0},
	{"emojimodifierbase", "\\p{Emoji_Modifier_Base}",
		"\\x{1faf7}-\\x{1faf8}", 0},
	{"extendedpictographic", "\\p{Extended_Pictographic}",
		"", 0},
	{"ideographic", "\\p{Ideographic}",
		"\\x{18cff}\\x{2b739}\\x{2ebf0}-\\x{2ee5d}\\x{31350}-\\x{323af}", 0},
	{"dash", "\\p{Dash}",
		"\\x{10d6e}", 0},
	{"hexdigit", "\\p{Hex_Digit}",
		"", 0},
	{"asciihexdigit", "\\p{ASCII_Hex_Digit}",
		"", 0},
	{"any", "\\x{0}-\\x{10ffff}",
		"", 0},
	{"assigned", "\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Z}\\p{Cc}\\p{Cf}\\p{Co}\\p{Cs}",
		"\\x{897}\\x{cf3}\\x{ece}\\x{1b4e}-\\x{1b4f}\\x{1b7f}\\x{1c89}-\\x{1c8a}\\x{2427}-\\x{2429}"
		"\\x{2ffc}-\\x{2fff}\\x{31e4}-\\x{31e5}\\x{31ef}\\x{a7cb}-\\x{a7cd}\\x{a7da}-\\x{a7dc}\\x{1"
		"05c0}-\\x{105f3}\\x{10d40}-\\x{10d65}\\x{10d69}-\\x{10d85}\\x{10d8e}-\\x{10d8f}\\x{10ec2"
		"}-\\x{10ec4}\\x{10efc}-\\x{10eff}\\x{1123f}-\\x{11241}\\x{11380}-\\x{11389}\\x{1138b}\\x{"
		"1138e}\\x{11390}-\\x{113b5}\\x{113b7}-\\x{113c0}\\x{113c2}\\x{113c5}\\x{113c7}-\\x{113ca"
		"}\\x{113cc}-\\x{113d5}\\x{113d7}-\\x{113d8}\\x{113e1}-\\x{113e2}\\x{116d0}-\\x{116e3}\\x{"
		"11b00}-\\x{11b09}\\x{11bc0}-\\x{11be1}\\x{11bf0}-\\x{11bf9}\\x{11f00}-\\x{11f10}\\x{11f1"
		"2}-\\x{11f3a}\\x{11f3e}-\\x{11f5a}\\x{1342f}\\x{13439}-\\x{13455}\\x{13460}-\\x{143fa}\\x"
		"{16100}-\\x{16139}\\x{16d40}-\\x{16d79}\\x{18cff}\\x{1b132}\\x{1b155}\\x{1cc00}-\\x{1ccf"
		"9}\\x{1cd00}-\\x{1ceb3}\\x{1d2c0}-\\x{1d2d3}\\x{1df25}-\\x{1df2a}\\x{1e030}-\\x{1e06d}\\x"
		"{1e08f}\\x{1e4d0}-\\x{1e4f9}\\x{1e5d0}-\\x{1e5fa}\\x{1e5ff}\\x{1f6dc}\\x{1f774}-\\x{1f77"
		"6}\\x{1f77b}-\\x{1f77f}\\x{1f7d9}\\x{1f8b2}-\\x{1f8bb}\\x{1f8c0}-\\x{1f8c1}\\x{1fa75}-\\x"
		"{1fa77}\\x{1fa87}-\\x{1fa89}\\x{1fa8f}\\x{1faad}-\\x{1faaf}\\x{1fabb}-\\x{1fabf}\\x{1fac"
		"6}\\x{1face}-\\x{1facf}\\x{1fada}-\\x{1fadc}\\x{1fadf}\\x{1fae8}-\\x{1fae9}\\x{1faf7}-\\x"
		"{1faf8}\\x{1fbcb}-\\x{1fbef}\\x{2b739}\\x{2ebf0}-\\x{2ee5d}\\x{31350}-\\x{323af}", 0},
	{"ascii", "\\x00-\\x7f",
		"", 0},
	{"alnum", "\\p{Alphabetic}\\p{Nd}",
		"\\x{363}-\\x{36f}\\x{897}\\x{c04}\\x{cf3}\\x{f82}-\\x{f83}\\x{1c89}-\\x{1c8a}\\x{1dd3}-\\x{"
		"1de6}\\x{a7cb}-\\x{a7cd}\\x{a7da}-\\x{a7dc}\\x{105c0}-\\x{105f3}\\x{10d40}-\\x{10d65}\\x{"
		"10d69}\\x{10d6f}-\\x{10d85}\\x{10ec2}-\\x{10ec4}\\x{10efc}\\x{11080}-\\x{11081}\\x{1123f"
		"}-\\x{11241}\\x{11380}-\\x{11389}\\x{1138b}\\x{1138e}\\x{11390}-\\x{113b5}\\x{113b7}-\\x{"
		"113c0}\\x{113c2}\\x{113c5}\\x{113c7}-\\x{113ca}\\x{113cc}-\\x{113cd}\\x{113d1}\\x{113d3}"
		"\\x{116d0}-\\x{116e3}\\x{11bc0}-\\x{11be0}\\x{11bf0}-\\x{11bf9}\\x{11f00}-\\x{11f10}\\x{1"
		"1f12}-\\x{11f3a}\\x{11f3e}-\\x{11f40}\\x{11f50}-\\x{11f59}\\x{1342f}\\x{13441}-\\x{13446"
		"}\\x{13460}-\\x{143fa}\\x{16100}-\\x{1612e}\\x{16130}-\\x{16139}\\x{16d40}-\\x{16d6c}\\x{"
		"16d70}-\\x{16d79}\\x{18cff}\\x{1b132}\\x{1b155}\\x{1ccf0}-\\x{1ccf9}\\x{1df25}-\\x{1df2a"
		"}\\x{1e030}-\\x{1e06d}\\x{1e08f}\\x{1e4d0}-\\x{1e4eb}\\x{1e4f0}-\\x{1e4f9}\\x{1e5d0}-\\x{"
		"1e5ed}\\x{1e5f0}-\\x{1e5fa}\\x{2b739}\\x{2ebf0}-\\x{2ee5d}\\x{31350}-\\x{323af}", 0},
	{"alpha", "\\p{Alphabetic}",
		"\\x{363}-\\x{36f}\\x{897}\\x{c04}\\x{cf3}\\x{f82}-\\x{f83}\\x{1c89}-\\x{1c8a}\\x{1dd3}-\\x{"
		"1de6}\\x{a7cb}-\\x{a7cd}\\x{a7da}-\\x{a7dc}\\x{105c0}-\\x{105f3}\\x{10d4a}-\\x{10d65}\\x{"
		"10d69}\\x{10d6f}-\\x{10d85}\\x{10ec2}-\\x{10ec4}\\x{10efc}\\x{11080}-\\x{11081}\\x{1123f"
		"}-\\x{11241}\\x{11380}-\\x{11389}\\x{1138b}\\x{1138e}\\x{11390}-\\x{113b5}\\x{113b7}-\\x{"
		"113c0}\\x{113c2}\\x{113c5}\\x{113c7}-\\x{113ca}\\x{113cc}-\\x{113cd}\\x{113d1}\\x{113d3}"
		"\\x{11bc0}-\\x{11be0}\\x{11f00}-\\x{11f10}\\x{11f12}-\\x{11f3a}\\x{11f3e}-\\x{11f40}\\x{1"
		"342f}\\x{13441}-\\x{13446}\\x{13460}-\\x{143fa}\\x{16100}-\\x{1612e}\\x{16d40}-\\x{16d6c"
		"}\\x{18cff}\\x{1b132}\\x{1b155}\\x{1df25}-\\x{1df2a}\\x{1e030}-\\x{1e06d}\\x{1e08f}\\x{1e"
		"4d0}-\\x{1e4eb}\\x{1e5d0}-\\x{1e5ed}\\x{1e5f0}\\x{2b739}\\x{2ebf0}-\\x{2ee5d}\\x{31350}-"
		"\\x{323af}", 0},
	{"blank", "\\p{Zs}\\t",
		"", 0},
	{"cntrl", "\\p{Cc}",
		"", 0},
	{"digit", "\\p{Nd}",
		"\\x{10d40}-\\x{10d49}\\x{116d0}-\\x{116e3}\\x{11bf0}-\\x{11bf9}\\x{11f50}-\\x{11f59}\\x{1"
		"6130}-\\x{16139}\\x{16d70}-\\x{16d79}\\x{1ccf0}-\\x{1ccf9}\\x{1e4f0}-\\x{1e4f9}\\x{1e5f1"
		"}-\\x{1e5fa}", 0},
	{"graph", "\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Cf}\\p{Co}",
		"\\x{897}\\x{cf3}\\x{ece}\\x{1b4e}-\\x{1b4f}\\x{1b7f}\\x{1c89}-\\x{1c8a}\\x{2427}-\\x{2429}"
		"\\x{2ffc}-\\x{2fff}\\x{31e4}-\\x{31e5}\\x{31ef}\\x{a7cb}-\\x{a7cd}\\x{a7da}-\\x{a7dc}\\x{1"
		"05c0}-\\x{105f3}\\x{10d40}-\\x{10d65}\\x{10d69}-\\x{10d85}\\x{10d8e}-\\x{10d8f}\\x{10ec2"
		"}-\\x{10ec4}\\x{10efc}-\\x{10eff}\\x{1123f}-\\x{11241}\\x{11380}-\\x{11389}\\x{1138b}\\x{"
		"1138e}\\x{11390}-\\x{113b5}\\x{113b7}-\\x{113c0}\\x{113c2}\\x{113c5}\\x{113c7}-\\x{113ca"
		"}\\x{113cc}-\\x{113d5}\\x{113d7}-\\x{113d8}\\x{113e1}-\\x{113e2}\\x{116d0}-\\x{116e3}\\x{"
		"11b00}-\\x{11b09}\\x{11bc0}-\\x{11be1}\\x{11bf0}-\\x{11bf9}\\x{11f00}-\\x{11f10}\\x{11f1"
		"2}-\\x{11f3a}\\x{11f3e}-\\x{11f5a}\\x{1342f}\\x{13439}-\\x{13455}\\x{13460}-\\x{143fa}\\x"
		"{16100}-\\x{16139}\\x{16d40}-\\x{16d79}\\x{18cff}\\x{1b132}\\x{1b155}\\x{1cc00}-\\x{1ccf"
		"9}\\x{1cd00}-\\x{1ceb3}\\x{1d2c0}-\\x{1d2d3}\\x{1df25}-\\x{1df2a}\\x{1e030}-\\x{1e06d}\\x"
		"{1e08f}\\x{1e4d0}-\\x{1e4f9}\\x{1e5d0}-\\x{1e5fa}\\x{1e5ff}\\x{1f6dc}\\x{1f774}-\\x{1f77"
		"6}\\x{1f77b}-\\x{1f77f}\\x{1f7d9}\\x{1f8b2}-\\x{1f8bb}\\x{1f8c0}-\\x{1f8c1}\\x{1fa75}-\\x"
		"{1fa77}\\x{1fa87}-\\x{1fa89}\\x{1fa8f}\\x{1faad}-\\x{1faaf}\\x{1fabb}-\\x{1fabf}\\x{1fac"
		"6}\\x{1face}-\\x{1facf}\\x{1fada}-\\x{1fadc}\\x{1fadf}\\x{1fae8}-\\x{1fae9}\\x{1faf7}-\\x"
		"{1faf8}\\x{1fbcb}-\\x{1fbef}\\x{2b739}\\x{2ebf0}-\\x{2ee5d}\\x{31350}-\\x{323af}", 0},
	{"lower", "\\p{Lowercase}",
		"\\x{10fc}\\x{1c8a}\\x{a7cd}\\x{a7db}\\x{a7f2}-\\x{a7f4}\\x{ab69}\\x{10d70}-\\x{10d85}\\x{1"
		"df25}-\\x{1df2a}\\x{1e030}-\\x{1e06d}", 0},
	{"print", "\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Cf}\\p{Co}\\p{Zs}",
		"\\x{897}\\x{cf3}\\x{ece}\\x{1b4e}-\\x{1b4f}\\x{1b7f}\\x{1c89}-\\x{1c8a}\\x{2427}-\\x{2429}"
		"\\x{2ffc}-\\x{2fff}\\x{31e4}-\\x{31e5}\\x{31ef}\\x{a7cb}-\\x{a7cd}\\x{a7da}-\\x{a7dc}\\x{1"
		"05c0}-\\x{105f3}\\x{10d40}-\\x{10d65}\\x{10d69}-\\x{10d85}\\x{10d8e}-\\x{10d8f}\\x{10ec2"
		"}-\\x{10ec4}\\x{10efc}-\\x{10eff}\\x{1123f}-\\x{11241}\\x{11380}-\\x{11389}\\x{1138b}\\x{"
		"1138e}\\x{11390}-\\x{113b5}\\x{113b7}-\\x{113c0}\\x{113c2}\\x{113c5}\\x{113c7}-\\x{113ca"
		"}\\x{113cc}-\\x{113d5}\\x{113d7}-\\x{113d8}\\x{113e1}-\\x{113e2}\\x{116d0}-\\x{116e3}\\x{"
		"11b00}-\\x{11b09}\\x{11bc0}-\\x{11be1}\\x{11bf0}-\\x{11bf9}\\x{11f00}-\\x{11f10}\\x{11f1"
		"2}-\\x{11f3a}\\x{11f3e}-\\x{11f5a}\\x{1342f}\\x{13439}-\\x{13455}\\x{13460}-\\x{143fa}\\x"
		"{16100}-\\x{16139}\\x{16d40}-\\x{16d79}\\x{18cff}\\x{1b132}\\x{1b155}\\x{1cc00}-\\x{1ccf"
		"9}\\x{1cd00}-\\x{1ceb3}\\x{1d2c0}-\\x{1d2d3}\\x{1df25}-\\x{1df2a}\\x{1e030}-\\x{1e06d}\\x"
		"{1e08f}\\x{1e4d0}-\\x{1e4f9}\\x{1e5d0}-\\x{1e5fa}\\x{1e5ff}\\x{1f6dc}\\x{1f774}-\\x{1f77"
		"6}\\x{1f77b}-\\x{1f77f}\\x{1f7d9}\\x{1f8b2}-\\x{1f8bb}\\x{1f8c0}-\\x{1f8c1}\\x{1fa75}-\\x"
		"{1fa77}\\x{1fa87}-\\x{1fa89}\\x{1fa8f}\\x{1faad}-\\x{1faaf}\\x{1fabb}-\\x{1fabf}\\x{1fac"
		"6}\\x{1face}-\\x{1facf}\\x{1fada}-\\x{1fadc}\\x{1fadf}\\x{1fae8}-\\x{1fae9}\\x{1faf7}-\\x"
		"{1faf8}\\x{1fbcb}-\\x{1fbef}\\x{2b739}\\x{2ebf0}-\\x{2ee5d}\\x{31350}-\\x{323af}", 0},
	{"punct", "\\p{P}",
		"\\x{1b4e}-\\x{1b4f}\\x{1b7f}\\x{10d6e}\\x{113d4}-\\x{113d5}\\x{113d7}-\\x{113d8}\\x{11b00"
		"}-\\x{11b09}\\x{11be1}\\x{11f43}-\\x{11f4f}\\x{16d6d}-\\x{16d6f}\\x{1e5ff}", 0},
	{"space", "\\p{White_Space}",
		"", 0},
	{"upper", "\\p{Uppercase}",
		"\\x{1c89}\\x{a7cb}-\\x{a7cc}\\x{a7da}\\x{a7dc}\\x{10d50}-\\x{10d65}", 0},
	{"xdigit", "0-9A-Fa-f",
		"", 0},
	{"word", "\\p{L}\\p{M}\\p{Nd}\\p{Nl}\\p{Pc}",
		"\\x{b2}-\\x{b3}\\x{b9}\\x{bc}-\\x{be}\\x{897}\\x{cf3}\\x{ece}\\x{1c89}-\\x{1c8a}\\x{24b6}-\\"
		"x{24e9}\\x{a7cb}-\\x{a7cd}\\x{a7da}-\\x{a7dc}\\x{105c0}-\\x{105f3}\\x{10d40}-\\x{10d65}\\"
		"x{10d69}-\\x{10d6d}\\x{10d6f}-\\x{10d85}\\x{10ec2}-\\x{10ec4}\\x{10efc}-\\x{10eff}\\x{11"
		"23f}-\\x{11241}\\x{11380}-\\x{11389}\\x{1138b}\\x{1138e}\\x{11390}-\\x{113b5}\\x{113b7}-"
		"\\x{113c0}\\x{113c2}\\x{113c5}\\x{113c7}-\\x{113ca}\\x{113cc}-\\x{113d3}\\x{113e1}-\\x{11"
		"3e2}\\x{116d0}-\\x{116e3}\\x{11bc0}-\\x{11be0}\\x{11bf0}-\\x{11bf9}\\x{11f00}-\\x{11f10}"
		"\\x{11f12}-\\x{11f3a}\\x{11f3e}-\\x{11f42}\\x{11f50}-\\x{11f5a}\\x{1342f}\\x{13440}-\\x{1"
		"3455}\\x{13460}-\\x{143fa}\\x{16100}-\\x{16139}\\x{16d40}-\\x{16d6c}\\x{16d70}-\\x{16d79"
		"}\\x{18cff}\\x{1b132}\\x{1b155}\\x{1ccf0}-\\x{1ccf9}\\x{1df25}-\\x{1df2a}\\x{1e030}-\\x{1"
		"e06d}\\x{1e08f}\\x{1e4d0}-\\x{1e4f9}\\x{1e5d0}-\\x{1e5fa}\\x{1f130}-\\x{1f149}\\x{1f150}"
		"-\\x{1f169}\\x{1f170}-\\x{1f189}\\x{2b739}\\x{2ebf0}-\\x{2ee5d}\\x{31350}-\\x{323af}", 0},
	{"c", "\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Z}",
		"\\x{897}\\x{cf3}\\x{ece}\\x{1b4e}-\\x{1b4f}\\x{1b7f}\\x{1c89}-\\x{1c8a}\\x{2427}-\\x{2429}"
		"\\x{2ffc}-\\x{2fff}\\x{31e4}-\\x{31e5}\\x{31ef}\\x{a7cb}-\\x{a7cd}\\x{a7da}-\\x{a7dc}\\x{1"
		"05c0}-\\x{105f3}\\x{10d40}-\\x{10d65}\\x{10d69}-\\x{10d85}\\x{10d8e}-\\x{10d8f}\\x{10ec2"
		"}-\\x{10ec4}\\x{10efc}-\\x{10eff}\\x{1123f}-\\x{11241}\\x{11380}-\\x{11389}\\x{1138b}\\x{"
		"1138e}\\x{11390}-\\x{113b5}\\x{113b7}-\\x{113c0}\\x{113c2}\\x{113c5}\\x{113c7}-\\x{113ca"
		"}\\x{113cc}-\\x{113d5}\\x{113d7}-\\x{113d8}\\x{113e1}-\\x{113e2}\\x{116d0}-\\x{116e3}\\x{"
		"11b00}-\\x{11b09}\\x{11bc0}-\\x{11be1}\\x{11bf0}-\\x{11bf9}\\x{11f00}-\\x{11f10}\\x{11f1"
		"2}-\\x{11f3a}\\x{11f3e}-\\x{11f5a}\\x{1342f}\\x{13440}-\\x{13455}\\x{13460}-\\x{143fa}\\x"
		"{16100}-\\x{16139}\\x{16d40}-\\x{16d79}\\x{18cff}\\x{1b132}\\x{1b155}\\x{1cc00}-\\x{1ccf"
		"9}\\x{1cd00}-\\x{1ceb3}\\x{1d2c0}-\\x{1d2d3}\\x{1df25}-\\x{1df2a}\\x{1e030}-\\x{1e06d}\\x"
		"{1e08f}\\x{1e4d0}-\\x{1e4f9}\\x{1e5d0}-\\x{1e5fa}\\x{1e5ff}\\x{1f6dc}\\x{1f774}-\\x{1f77"
		"6}\\x{1f77b}-\\x{1f77f}\\x{1f7d9}\\x{1f8b2}-\\x{1f8bb}\\x{1f8c0}-\\x{1f8c1}\\x{1fa75}-\\x"
		"{1fa77}\\x{1fa87}-\\x{1fa89}\\x{1fa8f}\\x{1faad}-\\x{1faaf}\\x{1fabb}-\\x{1fabf}\\x{1fac"
		"6}\\x{1face}-\\x{1facf}\\x{1fada}-\\x{1fadc}\\x{1fadf}\\x{1fae8}-\\x{1fae9}\\x{1faf7}-\\x"
		"{1faf8}\\x{1fbcb}-\\x{1fbef}\\x{2b739}\\x{2ebf0}-\\x{2ee5d}\\x{31350}-\\x{323af}", 1},
	{"cn", "\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Z}\\p{Cc}\\p{Cf}\\p{Co}\\p{Cs}",
		"\\x{897}\\x{cf3}\\x{ece}\\x{1b4e}-\\x{1b4f}\\x{1b7f}\\x{1c89}-\\x{1c8a}\\x{2427}-\\x{2429}"
		"\\x{2ffc}-\\x{2fff}\\x{31e4}-\\x{31e5}\\x{31ef}\\x{a7cb}-\\x{a7cd}\\x{a7da}-\\x{a7dc}\\x{1"
		"05c0}-\\x{105f3}\\x{10d40}-\\x{10d65}\\x{10d69}-\\x{10d85}\\x{10d8e}-\\x{10d8f}\\x{10ec2"
		"}-\\x{10ec4}\\x{10efc}-\\x{10eff}\\x{1123f}-\\x{11241}\\x{11380}-\\x{11389}\\x{1138b}\\x{"
		"1138e}\\x{11390}-\\x{113b5}\\x{113b7}-\\x{113c0}\\x{113c2}\\x{113c5}\\x{113c7}-\\x{113ca"
		"}\\x{113cc}-\\x{113d5}\\x{113d7}-\\x{113d8}\\x{113e1}-\\x{113e2}\\x{116d0}-\\x{116e3}\\x{"
		"11b00}-\\x{11b09}\\x{11bc0}-\\x{11be1}\\x{11bf0}-\\x{11bf9}\\x{11f00}-\\x{11f10}\\x{11f1"
		"2}-\\x{11f3a}\\x{11f3e}-\\x{11f5a}\\x{1342f}\\x{13439}-\\x{13455}\\x{13460}-\\x{143fa}\\x"
		"{16100}-\\x{16139}\\x{16d40}-\\x{16d79}\\x{18cff}\\x{1b132}\\x{1b155}\\x{1cc00}-\\x{1ccf"
		"9}\\x{1cd00}-\\x{1ceb3}\\x{1d2c0}-\\x{1d2d3}\\x{1df25}-\\x{1df2a}\\x{1e030}-\\x{1e06d}\\x"
		"{1e08f}\\x{1e4d0}-\\x{1e4f9}\\x{1e5d0}-\\x{1e5fa}\\x{1e5ff}\\x{1f6dc}\\x{1f774}-\\x{1f77"
		"6}\\x{1f77b}-\\x{1f77f}\\x{1f7d9}\\x{1f8b2}-\\x{1f8bb}\\x{1f8c0}-\\x{1f8c1}\\x{1fa75}-\\x"
		"{1fa77}\\x{1fa87}-\\x{1fa89}\\x{1fa8f}\\x{1faad}-\\x{1faaf}\\x{1fabb}-\\x{1fabf}\\x{1fac"
		"6}\\x{1face}-\\x{1facf}\\x{1fada}-\\x{1fadc}\\x{1fadf}\\x{1fae8}-\\x{1fae9}\\x{1faf7}-\\x"
		"{1faf8}\\x{1fbcb}-\\x{1fbef}\\x{2b739}\\x{2ebf0}-\\x{2ee5d}\\x{31350}-\\x{323af}", 1},
	{"unassigned", "\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Z}\\p{Cc}\\p{Cf}\\p{Co}\\p{Cs}",
		"\\x{897}\\x{cf3}\\x{ece}\\x{1b4e}-\\x{1b4f}\\x{1b7f}\\x{1c89}-\\x{1c8a}\\x{2427}-\\x{2429}"
		"\\x{2ffc}-\\x{2fff}\\x{31e4}-\\x{31e5}\\x{31ef}\\x{a7cb}-\\x{a7cd}\\x{a7da}-\\x{a7dc}\\x{1"
		"05c0}-\\x{105f3}\\x{10d40}-\\x{10d65}\\x{10d69}-\\x{10d85}\\x{10d8e}-\\x{10d8f}\\x{10ec2"
		"}-\\x{10ec4}\\x{10efc}-\\x{10eff}\\x{1123f}-\\x{11241}\\x{11380}-\\x{11389}\\x{1138b}\\x{"
		"1138e}\\x{11390}-\\x{113b5}\\x{113b7}-\\x{113c0}\\x{113c2}\\x{113c5}\\x{113c7}-\\x{113ca"
		"}\\x{113cc}-\\x{113d5}\\x{113d7}-\\x{113d8}\\x{113e1}-\\x{113e2}\\x{116d0}-\\x{116e3}\\x{"
		"11b00}-\\x{11b09}\\x{11bc0}-\\x{11be1}\\x{11bf0}-\\x{11bf9}\\x{11f00}-\\x{11f10}\\x{11f1"
		"2}-\\x{11f3a}\\x{11f3e}-\\x{11f5a}\\x{1342f}\\x{13439}-\\x{13455}\\x{13460}-\\x{143fa}\\x"
		"{16100}-\\x{16139}\\x{16d40}-\\x{16d79}\\x{18cff}\\x{1b132}\\x{1b155}\\x{1cc00}-\\x{1ccf"
		"9}\\x{1cd00}-\\x{1ceb3}\\x{1d2c0}-\\x{1d2d3}\\x{1df25}-\\x{1df2a}\\x{1e030}-\\x{1e06d}\\x"
		"{1e08f}\\x{1e4d0}-\\x{1e4f9}\\x{1e5d0}-\\x{1e5fa}\\x{1e5ff}\\x{1f6dc}\\x{1f774}-\\x{1f77"
		"6}\\x{1f77b}-\\x{1f77f}\\x{1f7d9}\\x{1f8b2}-\\x{1f8bb}\\x{1f8c0}-\\x{1f8c1}\\x{1fa75}-\\x"
		"{1fa77}\\x{1fa87}-\\x{1fa89}\\x{1fa8f}\\x{1faad}-\\x{1faaf}\\x{1fabb}-\\x{1fabf}\\x{1fac"
		"6}\\x{1face}-\\x{1facf}\\x{1fada}-\\x{1fadc}\\x{1fadf}\\x{1fae8}-\\x{1fae9}\\x{1faf7}-\\x"
		"{1faf8}\\x{1fbcb}-\\x{1fbef}\\x{2b739}\\x{2ebf0}-\\x{2ee5d}\\x{31350}-\\x{323af}", 1},
	{"other", "\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Z}",
		"\\x{897}\\x{cf3}\\x{ece}\\x{1b4e}-\\x{1b4f}\\x{1b7f}\\x{1c89}-\\x{1c8a}\\x{2427}-\\x{2429}"
		"\\x{2ffc}-\\x{2fff}\\x{31e4}-\\x{31e5}\\x{31ef}\\x{a7cb}-\\x{a7cd}\\x{a7da}-\\x{a7dc}\\x{1"
		"05c0}-\\x{105f3}\\x{10d40}-\\x{10d65}\\x{10d69}-\\x{10d85}\\x{10d8e}-\\x{10d8f}\\x{10ec2"
		"}-\\x{10ec4}\\x{10efc}-\\x{10eff}\\x{1123f}-\\x{11241}\\x{11380}-\\x{11389}\\x{1138b}\\x{"
		"1138e}\\x{11390}-\\x{113b5}\\x{113b7}-\\x{113c0}\\x{113c2}\\x{113c5}\\x{113c7}-\\x{113ca"
		"}\\x{113cc}-\\x{113d5}\\x{113d7}-\\x{113d8}\\x{113e1}-\\x{113e2}\\x{116d0}-\\x{116e3}\\x{"
		"11b00}-\\x{11b09}\\x{11bc0}-\\x{11be1}\\x{11bf0}-\\x{11bf9}\\x{11f00}-\\x{11f10}\\x{11f1"
		"2}-\\x{11f3a}\\x{11f3e}-\\x{11f5a}\\x{1342f}\\x{13440}-\\x{13455}\\x{13460}-\\x{143fa}\\x"
		"{16100}-\\x{16139}\\x{16d40}-\\x{16d79}\\x{18cff}\\x{1b132}\\x{1b155}\\x{1cc00}-\\x{1ccf"
		"9}\\x{1cd00}-\\x{1ceb3}\\x{1d2c0}-\\x{1d2d3}\\x{1df25}-\\x{1df2a}\\x{1e030}-\\x{1e06d}\\x"
		"{1e08f}\\x{1e4d0}-\\x{1e4f9}\\x{1e5d0}-\\x{1e5fa}\\x{1e5ff}\\x{1f6dc}\\x{1f774}-\\x{1f77"
		"6}\\x{1f77b}-\\x{1f77f}\\x{1f7d9}\\x{1f8b2}-\\x{1f8bb}\\x{1f8c0}-\\x{1f8c1}\\x{1fa75}-\\x"
		"{1fa77}\\x{1fa87}-\\x{1fa89}\\x{1fa8f}\\x{1faad}-\\x{1faaf}\\x{1fabb}-\\x{1fabf}\\x{1fac"
		"6}\\x{1face}-\\x{1facf}\\x{1fada}-\\x{1fadc}\\x{1fadf}\\x{1fae8}-\\x{1fae9}\\x{1faf7}-\\x"
		"{1faf8}\\x{1fbcb}-\\x{1fbef}\\x{2b739}\\x{2ebf0}-\\x{2ee5d}\\x{31350}-\\x{323af}", 1},
	{"[punct]", "\\p{P}\\p{S}", "\\x{1b4e}-\\x{1b4f}\\x{1b7f}-\\x{1b7f}\\x{2427}-\\x{2429}\\x{2ffc}-\\x{2fff}\\x{31e4}-\\x{31e5}\\x{31ef}-\\x{31ef}\\x{10d6e}-\\x{10d6e}\\x{10d8e}-\\x{10d8f}\\x{113d4}-\\x{113d5}\\x{113d7}-\\x{113d8}\\x{11b00}-\\x{11b09}\\x{11be1}-\\x{11be1}\\x{11f43}-\\x{11f4f}\\x{16d6d}-\\x{16d6f}\\x{1cc00}-\\x{1ccef}\\x{1cd00}-\\x{1ceb3}\\x{1e5ff}-\\x{1e5ff}\\x{1f6dc}-\\x{1f6dc}\\x{1f774}-\\x{1f776}\\x{1f77b}-\\x{1f77f}\\x{1f7d9}-\\x{1f7d9}\\x{1f8b2}-\\x{1f8bb}\\x{1f8c0}-\\x{1f8c1}\\x{1fa75}-\\x{1fa77}\\x{1fa87}-\\x{1fa89}\\x{1fa8f}-\\x{1fa8f}\\x{1faad}-\\x{1faaf}\\x{1fabb}-\\x{1fabf}\\x{1fac6}-\\x{1fac6}\\x{1face}-\\x{1facf}\\x{1fada}-\\x{1fadc}\\x{1fadf}-\\x{1fadf}\\x{1fae8}-\\x{1fae9}\\x{1faf7}-\\x{1faf8}\\x{1fbcb}-\\x{1fbef}", 0},
	{0},
};
/* clang-format on */
