/*
 * exp, sine and cosine of vectors, to about one unit in the last place. NaN stays NaN, exp of -inf is
 * 0, exp overflows to infinity. Polynomials: Cephes (Moshier), expf, sinf, cosf.
 */
#ifndef KERNELS_X86_VECMATH_H
#define KERNELS_X86_VECMATH_H

#include "kernels/x86/vec.h"

INLINE vec v_exp(vec x)
{
	/* Outside of these the result is 0 or infinity anyway. The operand order lets NaN through. */
	x = v_max(v_set(-110), v_min(v_set(90), x));
	vec n = v_round(x * v_set(0x1.715476p+0f));  /* x / ln 2 */
	vec r = v_fma(n, v_set(-0x1.62e400p-1f), x); /* ln 2 in two parts, the first of few bits */
	r = v_fma(n, v_set(-0x1.7f7d1cp-20f), r);
	vec p = v_set(1.9875691500e-4f);
	p = v_fma(p, r, v_set(1.3981999507e-3f));
	p = v_fma(p, r, v_set(8.3334519073e-3f));
	p = v_fma(p, r, v_set(4.1665795894e-2f));
	p = v_fma(p, r, v_set(1.6666665459e-1f));
	p = v_fma(p, r, v_set(5.0000001201e-1f));
	p = v_fma(p * r, r, r) + v_set(1);
	return v_scale2(p, n);
}

/* x less the nearest multiple of pi/2; *n: which multiple. In double: positions may be large. */
INLINE vecd reduce_angle(vecd x, vecd *n)
{
	*n = vd_round(x * vd_set(0x1.45f306dc9c883p-1));
	return vd_fma(*n, vd_set(-0x1.921fb54442d18p+0), x);
}

INLINE void v_sincos(vec x, vec *sine, vec *cosine)
{
	vecd n0, n1, r0 = reduce_angle(v_lower(x), &n0), r1 = reduce_angle(v_upper(x), &n1);
	/* n mod 4 is all that matters, and exact in f32 however large n is. */
	n0 -= vd_set(4) * vd_round(n0 * vd_set(0.25));
	n1 -= vd_set(4) * vd_round(n1 * vd_set(0.25));
	vec quarter = v_narrow(n0, n1), r = v_narrow(r0, r1), z = r * r;
	vec s = v_fma(v_fma(v_set(-1.9515295891e-4f), z, v_set(8.3321608736e-3f)), z,
		v_set(-1.6666654611e-1f));
	s = v_fma(s * z, r, r);
	vec c = v_fma(v_fma(v_set(2.443315711809948e-5f), z, v_set(-1.388731625493765e-3f)), z,
		v_set(4.166664568298827e-2f));
	c = v_fma(c * z, z, v_fma(v_set(-0.5f), z, v_set(1)));
	/* quarter mod 4: 0 1 2 3 -> sine is s c -s -c, cosine is c -s -c s. */
	vec odd = quarter - v_set(2) * v_floor(quarter * v_set(0.5f));
	vec half = quarter - odd; /* even; a multiple of 4 where neither sign flips */
	vec flip = v_set(1) - (half - v_set(4) * v_floor(half * v_set(0.25f)));
	vec half_way = v_set(0.5f);
	*sine = flip * v_select_lt(odd, half_way, s, c);
	*cosine = flip * v_select_lt(odd, half_way, c, v_set(0) - s);
}

#endif
