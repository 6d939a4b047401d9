/* See edgekit_unpack.h. The formats: edgekit/storage/container.py, section.py, positions.py,
   values.py; deflate is RFC 1951. */
#include "edgekit_unpack.h"

#include <string.h>

enum { ALL, GAPS, COO, CSR, CSC };
enum { RAW, DEFLATE, BOOK, HUFFMAN, BLOCK_BOOK, BLOCK_HUFFMAN };
enum { LONGEST = 15, MOST_SYMBOLS = 288, MAP = 32 };

/* Bits, the first in the lowest place. `failed` stays set once something was read past the end. */
typedef struct {
    const uint8_t *data;
    size_t size, at;
    uint32_t held;
    unsigned bits;
    int failed;
} stream;

typedef struct {
    uint16_t having[LONGEST + 1]; /* codes of each length */
    uint16_t symbols[MOST_SYMBOLS];
} code;

/* Elements of one, two or four bytes somewhere in the output. */
typedef struct {
    uint8_t *data;
    uint32_t count;
    unsigned width;
} elements;

static stream stream_of(const uint8_t *data, size_t size) {
    stream s = {0};
    s.data = data;
    s.size = size;
    return s;
}

static uint32_t bit(stream *s) {
    uint32_t found;
    if (!s->bits) {
        if (s->at == s->size) {
            s->failed = 1;
            return 0;
        }
        s->held = s->data[s->at++];
        s->bits = 8;
    }
    found = s->held & 1;
    s->held >>= 1;
    --s->bits;
    return found;
}

static uint32_t number(stream *s, unsigned width) {
    uint32_t found = 0;
    unsigned place;
    for (place = 0; place < width; ++place)
        found |= bit(s) << place;
    return found;
}

static uint32_t varint(stream *s) {
    uint32_t found = 0, byte;
    unsigned place;
    for (place = 0; place < 35; place += 7) {
        byte = number(s, 8);
        if (place == 28 && byte > 15)
            break;
        found |= (byte & 127) << place;
        if (byte < 128)
            return found;
    }
    s->failed = 1;
    return 0;
}

static unsigned width_of(uint32_t most) {
    unsigned width = 0;
    while (width < 32 && most >> width)
        ++width;
    return width;
}

/* 0 if the lengths are those of a code: none longer than it can be. */
static int make_code(code *c, const uint8_t *lengths, unsigned symbols) {
    uint16_t next[LONGEST + 1];
    unsigned symbol, length;
    int32_t left = 1;
    memset(c->having, 0, sizeof c->having);
    for (symbol = 0; symbol < symbols; ++symbol)
        ++c->having[lengths[symbol]];
    c->having[0] = 0;
    next[1] = 0;
    for (length = 1; length <= LONGEST; ++length) {
        left = left * 2 - c->having[length];
        if (left < 0)
            return -1;
        if (length < LONGEST)
            next[length + 1] = (uint16_t)(next[length] + c->having[length]);
    }
    for (symbol = 0; symbol < symbols; ++symbol)
        if (lengths[symbol])
            c->symbols[next[lengths[symbol]]++] = (uint16_t)symbol;
    return 0;
}

/* Codes of one length are consecutive numbers, and follow those of the length before. */
static unsigned symbol_of(stream *s, const code *c) {
    uint32_t found = 0, first = 0, before = 0;
    unsigned length;
    for (length = 1; length <= LONGEST; ++length) {
        found |= bit(s);
        if (found - first < c->having[length])
            return c->symbols[before + found - first];
        before += c->having[length];
        first = (first + c->having[length]) << 1;
        found <<= 1;
    }
    s->failed = 1;
    return 0;
}

static int read_code(stream *s, code *c, unsigned symbols) {
    uint8_t lengths[256];
    unsigned symbol;
    for (symbol = 0; symbol < symbols; ++symbol)
        lengths[symbol] = (uint8_t)number(s, 4);
    return make_code(c, lengths, symbols);
}

/* ---- deflate ---- */

static int copy_stored(stream *s, uint8_t *out, size_t size, size_t *at) {
    uint32_t length, check;
    s->bits = 0;
    length = number(s, 16);
    check = number(s, 16);
    if (s->failed || (length ^ check) != 0xffff || length > s->size - s->at || length > size - *at)
        return -1;
    memcpy(out + *at, s->data + s->at, length);
    s->at += length;
    *at += length;
    return 0;
}

static int read_codes(stream *s, code *literals, code *distances) {
    static const uint8_t order[19] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                      11, 4,  12, 3, 13, 2, 14, 1, 15};
    uint8_t lengths[320];
    unsigned literal_count = number(s, 5) + 257, distance_count = number(s, 5) + 1;
    unsigned count = number(s, 4) + 4, place, total = literal_count + distance_count;
    if (literal_count > MOST_SYMBOLS)
        return -1;
    memset(lengths, 0, 19);
    for (place = 0; place < count; ++place)
        lengths[order[place]] = (uint8_t)number(s, 3);
    if (make_code(distances, lengths, 19))
        return -1;
    for (place = 0; place < total;) {
        unsigned symbol = symbol_of(s, distances), repeat = 1;
        uint8_t length = (uint8_t)symbol;
        if (symbol == 16) {
            if (!place)
                return -1;
            length = lengths[place - 1];
            repeat = 3 + number(s, 2);
        } else if (symbol > 16) {
            length = 0;
            repeat = symbol == 17 ? 3 + number(s, 3) : 11 + number(s, 7);
        }
        if (s->failed || repeat > total - place)
            return -1;
        while (repeat--)
            lengths[place++] = length;
    }
    if (make_code(literals, lengths, literal_count))
        return -1;
    return make_code(distances, lengths + literal_count, distance_count);
}

static int fixed_codes(code *literals, code *distances) {
    uint8_t lengths[MOST_SYMBOLS];
    memset(lengths, 8, 144);
    memset(lengths + 144, 9, 112);
    memset(lengths + 256, 7, 24);
    memset(lengths + 280, 8, 8);
    if (make_code(literals, lengths, MOST_SYMBOLS))
        return -1;
    memset(lengths, 5, 30);
    return make_code(distances, lengths, 30);
}

/* Length and distance symbols count up in groups of `each`, whose extra bits grow by one. */
static uint32_t extended(stream *s, unsigned symbol, unsigned each) {
    unsigned extra;
    if (symbol < 2 * each)
        return symbol;
    extra = symbol / each - 1;
    return ((each + symbol % each) << extra) + number(s, extra);
}

static int copy_matches(stream *s, const code *literals, const code *distances, uint8_t *out,
                        size_t size, size_t *at) {
    for (;;) {
        unsigned symbol = symbol_of(s, literals), far;
        uint32_t length, distance;
        if (s->failed)
            return -1;
        if (symbol == 256)
            return 0;
        if (symbol < 256) {
            if (*at == size)
                return -1;
            out[(*at)++] = (uint8_t)symbol;
            continue;
        }
        if (symbol > 285)
            return -1;
        length = symbol == 285 ? 258 : 3 + extended(s, symbol - 257, 4);
        far = symbol_of(s, distances);
        if (far > 29)
            return -1;
        distance = 1 + extended(s, far, 2);
        if (s->failed || distance > *at || length > size - *at)
            return -1;
        for (; length; --length, ++*at)
            out[*at] = out[*at - distance];
    }
}

static int make_codes(stream *s, uint32_t kind, code *literals, code *distances) {
    if (kind == 1)
        return fixed_codes(literals, distances);
    return kind == 2 ? read_codes(s, literals, distances) : -1;
}

static int inflate(stream *s, uint8_t *out, size_t size) {
    code literals, distances;
    size_t at = 0;
    uint32_t last, kind;
    do {
        last = bit(s);
        kind = number(s, 2);
        if (kind == 0) {
            if (copy_stored(s, out, size, &at))
                return -1;
        } else if (make_codes(s, kind, &literals, &distances) ||
                   copy_matches(s, &literals, &distances, out, size, &at)) {
            return -1;
        }
    } while (!last);
    return s->failed || at != size ? -1 : 0;
}

/* ---- values ---- */

typedef struct {
    unsigned form, width, book_size, code_bits;
    unsigned length, left; /* values in a block of the book, and those of the block still to come */
    const uint8_t *book, *next;
    uint8_t own_book[256];
    code symbols;
    stream s;
} values;

static int read_map(values *v, const uint8_t *map) {
    unsigned value, size = 0;
    for (value = 0; value < 256; ++value)
        if (map[value / 8] >> value % 8 & 1)
            v->own_book[size++] = (uint8_t)value;
    v->book = v->own_book;
    return size == v->book_size ? 0 : -1;
}

static int read_book(values *v) {
    size_t bytes;
    int mapped;
    v->left = 0;
    v->length = v->form < BLOCK_BOOK ? 1 : number(&v->s, 8);
    v->book_size = number(&v->s, 8) + 1;
    v->code_bits = width_of(v->book_size - 1);
    mapped = v->form < BLOCK_BOOK && v->width == 1 && v->book_size > MAP;
    bytes = mapped ? MAP : (size_t)v->book_size * v->length * v->width;
    if (v->s.failed || !v->length || bytes > v->s.size - v->s.at)
        return -1;
    v->book = v->s.data + v->s.at;
    v->s.at += bytes;
    return mapped ? read_map(v, v->book) : 0;
}

static int open_values(values *v, const uint8_t *data, size_t size, unsigned width) {
    v->s = stream_of(data, size);
    v->width = width;
    v->form = number(&v->s, 8);
    if (v->s.failed || v->form > BLOCK_HUFFMAN)
        return -1;
    if (v->form < BOOK)
        return 0;
    if (read_book(v))
        return -1;
    if (v->form == HUFFMAN || v->form == BLOCK_HUFFMAN)
        return read_code(&v->s, &v->symbols, v->book_size);
    return 0;
}

/* Where the block of the next code begins in the book. */
static int next_block(values *v) {
    int plain = v->form == BOOK || v->form == BLOCK_BOOK;
    uint32_t place = plain ? number(&v->s, v->code_bits) : symbol_of(&v->s, &v->symbols);
    if (v->s.failed || place >= v->book_size)
        return -1;
    v->next = v->book + (size_t)place * v->length * v->width;
    v->left = v->length;
    return 0;
}

/* The next value of any form but DEFLATE. */
static int next_value(values *v, uint8_t *out) {
    if (v->form == RAW) {
        if (v->width > v->s.size - v->s.at)
            return -1;
        memcpy(out, v->s.data + v->s.at, v->width);
        v->s.at += v->width;
        return 0;
    }
    if (!v->left && next_block(v))
        return -1;
    memcpy(out, v->next, v->width);
    v->next += v->width;
    --v->left;
    return 0;
}

static int all_values(values *v, elements out) {
    uint32_t place;
    if (v->form == DEFLATE)
        return inflate(&v->s, out.data, (size_t)out.count * out.width);
    for (place = 0; place < out.count; ++place)
        if (next_value(v, out.data + (size_t)place * out.width))
            return -1;
    return 0;
}

/* ---- positions ---- */

typedef struct {
    unsigned form, inner_bits, outer_bits;
    uint32_t columns, total, lists, list, left;
    int64_t at;      /* of the last place, by gaps */
    uint32_t skip;   /* the gap that stores nothing */
    code gaps;
    stream s, lengths;
} positions;

static void pass(stream *s, uint64_t bits) {
    uint64_t whole;
    for (; bits && s->bits; --bits)
        (void)bit(s);
    whole = bits / 8;
    if (whole > s->size - s->at) {
        s->failed = 1;
        return;
    }
    s->at += (size_t)whole;
    (void)number(s, (unsigned)(bits % 8));
}

static int open_positions(positions *p, unsigned form, const uint8_t *data, size_t size,
                          uint32_t rows, uint32_t columns, uint32_t *count) {
    unsigned row_bits = width_of(rows - 1), column_bits = width_of(columns - 1);
    p->form = form;
    p->columns = columns;
    p->total = rows * columns;
    p->s = stream_of(data, size);
    p->at = -1;
    *count = number(&p->s, 32);
    if (*count > p->total)
        return -1;
    if (form == GAPS) {
        unsigned width = number(&p->s, 8);
        if (width < 3 || width > 8)
            return -1;
        p->skip = (1u << width) - 1;
        return read_code(&p->s, &p->gaps, 1u << width);
    }
    p->outer_bits = form == COO ? row_bits : number(&p->s, 5);
    p->inner_bits = form == CSC ? row_bits : column_bits;
    p->lists = form == CSC ? columns : rows;
    p->list = 0;
    p->left = 0;
    p->lengths = p->s;
    if (form != COO)
        pass(&p->s, (uint64_t)p->lists * p->outer_bits);
    return p->s.failed ? -1 : 0;
}

static int64_t after_gap(positions *p) {
    uint32_t gap;
    do {
        gap = symbol_of(&p->s, &p->gaps);
        p->at += gap + (gap != p->skip);
    } while (gap == p->skip && !p->s.failed && p->at < p->total);
    return p->at;
}

/* The next place as a flat index; negative if there is none. */
static int64_t next_place(positions *p) {
    uint64_t outer, inner, place;
    if (p->form == GAPS) {
        place = (uint64_t)after_gap(p);
        return p->s.failed || place >= p->total ? -1 : (int64_t)place;
    }
    if (p->form == COO) {
        outer = number(&p->s, p->outer_bits);
    } else {
        while (!p->left) {
            if (p->list == p->lists || p->lengths.failed)
                return -1;
            p->left = number(&p->lengths, p->outer_bits);
            ++p->list;
        }
        --p->left;
        outer = p->list - 1;
    }
    inner = number(&p->s, p->inner_bits);
    place = p->form == CSC ? inner * p->columns + outer : outer * p->columns + inner;
    return p->s.failed || place >= p->total ? -1 : (int64_t)place;
}

/* ---- constants ---- */

static void fill(elements out, uint32_t from, uint32_t to, const uint8_t *value) {
    for (; from < to; ++from)
        memcpy(out.data + (size_t)from * out.width, value, out.width);
}

/* Values that had to be inflated wait at the end of the output: each place is at or before its
   value, since places ascend. */
static int spread(positions *p, uint32_t count, elements out, const uint8_t *common) {
    uint32_t done = 0, number_of;
    for (number_of = 0; number_of < count; ++number_of) {
        int64_t place = next_place(p);
        size_t from = (size_t)(out.count - count + number_of) * out.width;
        if (place < done || place > out.count - count + number_of)
            return -1;
        fill(out, done, (uint32_t)place, common);
        memmove(out.data + (size_t)place * out.width, out.data + from, out.width);
        done = (uint32_t)place + 1;
    }
    fill(out, done, out.count, common);
    return 0;
}

static int scatter(positions *p, values *v, uint32_t count, elements out, const uint8_t *common) {
    fill(out, 0, out.count, common);
    while (count--) {
        int64_t place = next_place(p);
        if (place < 0 || next_value(v, out.data + (size_t)place * out.width))
            return -1;
    }
    return 0;
}

static int sparse(stream *s, unsigned form, uint32_t rows, uint32_t columns, elements out) {
    positions p;
    values v;
    uint32_t length = varint(s), count;
    size_t left = s->size - s->at;
    const uint8_t *common = s->data + s->at, *places = common + out.width;
    if (s->failed || left < out.width || length > left - out.width)
        return -1;
    if (open_positions(&p, form, places, length, rows, columns, &count) ||
        open_values(&v, places + length, left - out.width - length, out.width))
        return -1;
    if (v.form == DEFLATE) {
        size_t bytes = (size_t)count * out.width, all = (size_t)out.count * out.width;
        if (form == CSC || inflate(&v.s, out.data + all - bytes, bytes))
            return -1;
        return spread(&p, count, out, common);
    }
    return scatter(&p, &v, count, out, common);
}

static int constant(const uint8_t *data, size_t size, uint32_t rows, uint32_t columns,
                    elements out) {
    stream s = stream_of(data, size);
    unsigned form = number(&s, 8);
    if (s.failed || form > CSC)
        return -1;
    if (form == ALL) {
        values v;
        return open_values(&v, data + 1, size - 1, out.width) ? -1 : all_values(&v, out);
    }
    return rows && columns ? sparse(&s, form, rows, columns, out) : -1;
}

/* ---- the file ---- */

typedef struct {
    uint32_t before, rows, columns, stored;
    unsigned width;
    uint64_t bytes;
} entry;

static entry next_entry(stream *head) {
    entry e;
    e.before = varint(head);
    e.rows = varint(head);
    e.columns = varint(head);
    e.width = number(head, 8);
    e.stored = varint(head);
    e.bytes = (uint64_t)e.rows * e.columns;
    if ((e.width != 1 && e.width != 2 && e.width != 4) || e.bytes >= 1u << 31)
        head->failed = 1;
    e.bytes *= e.width;
    return e;
}

/* The stream behind the head's checksum. */
static stream open_head(const uint8_t *packed, size_t packed_size) {
    stream head = stream_of(packed, packed_size);
    if (packed_size < 8 || memcmp(packed, "EKS1", 4))
        head.failed = 1;
    else
        head.at = 8;
    return head;
}

static uint32_t crc_of(const uint8_t *data, size_t size) {
    uint32_t crc = 0xffffffffu;
    for (; size; --size, ++data) {
        unsigned step;
        crc ^= *data;
        for (step = 0; step < 8; ++step)
            crc = crc >> 1 ^ (0xedb88320u & (0u - (crc & 1)));
    }
    return ~crc;
}

size_t edgekit_unpacked_size(const uint8_t *packed, size_t packed_size) {
    stream head = open_head(packed, packed_size);
    uint32_t size = head.failed ? 0 : varint(&head);
    return head.failed ? 0 : size;
}

/* The rest is unpacked to the end of the output; its parts then move to their places, from the
   front: none of them overtakes what is still to move. */
int edgekit_unpack(const uint8_t *packed, size_t packed_size, uint8_t *out, size_t out_size) {
    stream head = open_head(packed, packed_size), again;
    uint64_t alone = 0, stored = 0, before = 0;
    uint32_t count, number_of, check = 0;
    size_t rest, from, to = 0;
    const uint8_t *data;
    if (head.failed || varint(&head) != out_size)
        return -1;
    count = varint(&head);
    again = head;
    for (number_of = 0; number_of < count && !head.failed; ++number_of) {
        entry e = next_entry(&head);
        alone += e.bytes;
        stored += e.stored;
        before += e.before;
    }
    if (head.failed || alone > out_size || before > out_size - alone ||
        stored > packed_size - head.at)
        return -1;
    rest = out_size - (size_t)alone;
    from = (size_t)alone;
    data = packed + head.at;
    {
        elements end;
        values v;
        end.data = out + from;
        end.count = (uint32_t)rest;
        end.width = 1;
        if (open_values(&v, data + stored, packed_size - head.at - (size_t)stored, 1) ||
            all_values(&v, end))
            return -1;
    }
    for (number_of = 0; number_of < count; ++number_of) {
        entry e = next_entry(&again);
        elements here;
        memmove(out + to, out + from, e.before);
        to += e.before;
        from += e.before;
        here.data = out + to;
        here.width = e.width;
        here.count = (uint32_t)(e.bytes / e.width);
        if (constant(data, e.stored, e.rows, e.columns, here))
            return -1;
        data += e.stored;
        to += (size_t)e.bytes;
    }
    for (number_of = 0; number_of < 4; ++number_of)
        check |= (uint32_t)packed[4 + number_of] << 8 * number_of;
    return crc_of(out, out_size) == check ? 0 : -1;
}
