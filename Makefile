# sluice: make all | deps | demo | test | bench | lint | install | uninstall | clean
#   SANITIZE=address,undefined   build and test under sanitizers     WERROR=1   warnings are errors
#   CUDA=0                       leave the CUDA kernels out          V=1        show commands
# Objects live in build/<flags>/, one directory per set of flags; programs are linked into bin/.
-include config.mk
CFLAGS   ?= -O2 -g
PREFIX   ?= /usr/local
MANDIR   ?= $(PREFIX)/share/man
comma    := ,
WARN     := -Wall -Wextra -Wpedantic -Wshadow -Wvla -Wwrite-strings -Wpointer-arith \
            -Wstrict-prototypes -Wmissing-prototypes $(if $(WERROR),-Werror)
SANFLAGS := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer)
CCFLAGS   = -std=c11 -D_GNU_SOURCE -I. $(WARN) $(CPPFLAGS) $(CFLAGS) $(SANFLAGS)
LDLIBS   += -Wl,--as-needed -ljansson -lmsgpackc -lpcre2-8 -lutf8proc -lxxhash -lz -ldl -lpthread -lm

O        := build/cpu$(if $(SANITIZE),-$(subst $(comma),-,$(SANITIZE)))$(if $(WERROR),-werror)
BIN      := $(if $(SANITIZE)$(WERROR),$O/bin,bin)
TOOLS    := $(notdir $(patsubst %/,%,$(wildcard tools/*/)))
COMMON   := $(wildcard common/*.c common/*/*.c)
KERNELS  := $(wildcard kernels/*.c kernels/cpu/*.c)
LIBS      = $O/libcommon.a $O/libkernels.a
obj       = $(patsubst %,$O/%.o,$1)
UNIT     := $(patsubst tests/%.c,$O/tests/%,$(wildcard tests/unit/*.c tests/kernels/*.c))

MAKEFLAGS += -r
Q := $(if $V,,@)
.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all clean FORCE
all: $(TOOLS:%=$(BIN)/%)

# One source, compiled once for each instruction set that select.c can choose at run time.
ISAS         := avx2 avx512
ISA_avx2     := -mavx2 -mfma -mf16c
ISA_avx512   := -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx2 -mfma -mf16c -mprefer-vector-width=512
ISAOBJ       := $(foreach i,$(ISAS),$(patsubst %,$O/%.$i.o,$(wildcard kernels/x86/*.c)))
$(foreach i,$(ISAS),$(eval $O/%.c.$i.o: ISAFLAGS := $(ISA_$i) -O3 -fno-math-errno -DISA=$i))
define isa
$O/%.c.$1.o: %.c $O/flags
	@mkdir -p $$(@D)
	$$Q$$(CC) $$(CCFLAGS) $$(ISA_$1) -O3 -fno-math-errno -fno-trapping-math -DISA=$1 -MMD -MP -c -o $$@ $$<
endef
$(foreach i,$(ISAS),$(eval $(call isa,$i)))

$O/libcommon.a:  $(call obj,$(COMMON))
$O/libkernels.a: $(call obj,$(KERNELS)) $(ISAOBJ)
$O/%.a:
	$Q$(AR) rcsD $@.tmp $^ && mv $@.tmp $@

# A tool is a directory: every .c in it, and main() in the file of the tool's own name.
define tool
$O/bin/$1: $(call obj,$(wildcard tools/$1/*.c)) $(LIBS)
endef
$(foreach t,$(TOOLS),$(eval $(call tool,$t)))
$O/bin/%:
	@mkdir -p $(@D)
	$Q$(CC) $(LDFLAGS) $(SANFLAGS) -o $@ $^ $(LDLIBS)
ifeq ($(BIN),bin)
bin/%: $O/bin/%
	@mkdir -p bin
	$Qln -f $< $@
endif

# A unit test of a tool's engine links that tool's objects, all but its main.
ENGINES = $(filter-out $(foreach t,$(TOOLS),$O/tools/$t/$t.c.o),$(call obj,$(wildcard tools/*/*.c)))
$O/libengines.a: $(ENGINES)
$(UNIT): $O/tests/%: $O/tests/%.c.o $O/libengines.a $(LIBS)
	$Q$(CC) $(LDFLAGS) $(SANFLAGS) -o $@ $^ $(LDLIBS)
unit: $(UNIT)

$O/%.c.o: %.c $O/flags
	@mkdir -p $(@D)
	$Q$(CC) $(CCFLAGS) -MMD -MP -c -o $@ $<

# Rewritten only when the flags change, so that changed flags rebuild everything.
$O/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(CCFLAGS)' | cmp -s - $@ || echo '$(CC) $(CCFLAGS)' >$@

clean:
	rm -rf build bin
-include $(shell find $O -name '*.d' 2>/dev/null)
