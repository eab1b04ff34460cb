/* The plain ones. */
#include "kernels/cpu/update.h"
