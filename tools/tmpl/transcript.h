/* Conversations written as one string, as Anthropic's HH-RLHF has them: turns that begin with
 * "\n\nHuman:" and "\n\nAssistant:". */
#ifndef TOOLS_TMPL_TRANSCRIPT_H
#define TOOLS_TMPL_TRANSCRIPT_H

#include "tools/tmpl/jinja.h"

/* Whether the string begins with a human's turn and has one of the assistant's. */
int transcript_is(struct jv text);

/* The turns as messages; a content is what follows the marker, less one blank after it. */
struct jv transcript_messages(struct arena *a, struct jv text);

/* The byte of `text` behind the marker of turn i. */
size_t transcript_turn(struct jv text, size_t i);

#endif
