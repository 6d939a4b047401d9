#include "words_dsp.h"

/* Assembly of cores without the DSP extension; elsewhere the same in C. */
#if defined(__GNUC__) && defined(__thumb2__) && !defined(__ARM_FEATURE_MVE)
#define EK_THUMB2 1
#else
#define EK_THUMB2 0
#endif
