#include "../common/words.h"
#include "../common/requantize.h"
#include "../common/dot.h"

/* One of four gates: weights of inputs and of the hidden state, biases with the zero points inside,
   and what takes the sums to 12 fractional bits. */
typedef struct {
    const int8_t *weights, *recurrent;
    const int32_t *bias, *recurrent_bias;
    int32_t multiplier, recurrent_multiplier;
    int8_t shift, recurrent_shift;
} ek_lstm_gate_t;

/* Gates: input, forget, cell, output. Factors: forget gate * cell, input gate * cell gate, output
   gate * tanh(cell). Steps lead from one time, and from one sequence, to the next. */
typedef struct {
    ek_lstm_gate_t gates[4];
    const uint16_t *table;
    int32_t times, sequences, inputs, units;
    int32_t in_time, in_sequence, out_time, out_sequence;
    int32_t multiplier[3];
    int8_t shift[3];
    int16_t clip, zero, tanh_multiplier;
    int8_t tanh_shift;
} ek_lstm_t;

/* A value of the table with `bits` more, by a straight line between neighbours. */
static inline int32_t ek_lstm_line(const uint16_t *table, int32_t size, int32_t bits,
                                   int32_t limit) {
    int32_t place = size >> bits, rest = size & ((1 << bits) - 1);
    if (place >= 255)
        return limit;
    return table[place] * (1 << bits) + rest * (table[place + 1] - table[place]);
}

static EK_NOINLINE int32_t ek_lstm_logistic(const uint16_t *table, int32_t value) {
    int32_t size = (value < 0 ? -value : value) * 3;
    int32_t line = ek_lstm_line(table, size, 9, 0x7fff << 10);
    return (value >= 0 ? line + (1 << 9) : (1 << 25) - line + (1 << 9) - 1) >> 10;
}

static EK_NOINLINE int32_t ek_lstm_tanh(const uint16_t *table, int32_t value, int32_t multiplier,
                                        int32_t shift) {
    int32_t scaled = (value * multiplier + ((1 << shift) >> 1)) >> shift;
    int32_t line = ek_lstm_line(table, scaled < 0 ? -scaled : scaled, 8, 0xffff << 8);
    return (scaled >= 0 ? line - (1 << 23) + 128 : (1 << 23) - line + 127) >> 8;
}

static inline int32_t ek_lstm_short(int32_t value) { return ek_clamp(value, -32768, 32767); }

/* The sum of a gate for a unit; before the first time there is no hidden state. */
static EK_NOINLINE int32_t ek_lstm_sum(const ek_lstm_t *l, const ek_lstm_gate_t *gate, int32_t unit,
                                       const int8_t *in, const int8_t *hidden) {
    int32_t sum = gate->bias[unit], past = 0;
    sum += ek_dot(gate->weights + unit * l->inputs, in, l->inputs);
    if (hidden) {
        past = gate->recurrent_bias[unit];
        past += ek_dot(gate->recurrent + unit * l->units, hidden, l->units);
        past = ek_multiply(past, gate->recurrent_multiplier, gate->recurrent_shift);
    }
    sum = ek_lstm_short(ek_multiply(sum, gate->multiplier, gate->shift));
    return ek_lstm_short(sum + ek_lstm_short(past));
}

static EK_NOINLINE int32_t ek_lstm_product(const ek_lstm_t *l, int32_t which, int32_t x,
                                           int32_t y) {
    return ek_multiply(x * y, l->multiplier[which], l->shift[which]);
}

/* The new state of a unit: the cell in place, the hidden state as the result. */
static EK_NOINLINE int8_t ek_lstm_unit(const ek_lstm_t *l, int32_t unit, const int8_t *in,
                                       const int8_t *hidden, int16_t *cell) {
    int32_t gate[4], g, state, added;
    for (g = 0; g < 4; ++g) {
        int32_t sum = ek_lstm_sum(l, l->gates + g, unit, in, hidden);
        gate[g] = g == 2 ? ek_lstm_tanh(l->table, sum, 3, 0) : ek_lstm_logistic(l->table, sum);
    }
    state = ek_lstm_short(ek_lstm_product(l, 0, gate[1], *cell));
    added = ek_lstm_short(ek_lstm_product(l, 1, gate[0], gate[2]));
    state = ek_lstm_short(state + added);
    if (l->clip > 0)
        state = ek_clamp(state, -l->clip, l->clip);
    *cell = (int16_t)state;
    state = ek_lstm_tanh(l->table, state, l->tanh_multiplier, l->tanh_shift);
    state = ek_lstm_product(l, 2, state, gate[3]) + l->zero;
    return (int8_t)ek_clamp(state, -128, 127);
}

/* The hidden state is the output of the time before. */
static EK_NOINLINE void ek_lstm(const ek_lstm_t *l, const int8_t *in, int8_t *out, int8_t *scratch) {
    int16_t *cells = (int16_t *)(void *)scratch;
    int32_t sequence, time, unit;
    for (sequence = 0; sequence < l->sequences; ++sequence) {
        const int8_t *from = in + sequence * l->in_sequence, *hidden = 0;
        int8_t *to = out + sequence * l->out_sequence;
        ek_fill(scratch, 0, 2 * l->units);
        for (time = 0; time < l->times; ++time) {
            for (unit = 0; unit < l->units; ++unit)
                to[unit] = ek_lstm_unit(l, unit, from, hidden, cells + unit);
            hidden = to;
            from += l->in_time;
            to += l->out_time;
        }
    }
}
