"""What CEL and its extensions bring along: names, usage and an example that is true on every engine.

Engines implement these; here they are named, for the reference and for hints on names that are nearly right.
"""

from __future__ import annotations

from authz.cel.functions import Function


def _known(name: str, usage: str, example: str) -> Function:
    return Function(name=name, usage=usage, example=example)


OPERATORS: tuple[Function, ...] = (
    _known("_==_", "a == b, a != b", "1 == 1 && 'a' != 'b'"),
    _known("_<_", "a < b, a <= b, a > b, a >= b", "1 < 2 && 'a' <= 'b' && duration('2s') > duration('1s')"),
    _known("_&&_", "a && b, a || b, !a", "true && !false || false"),
    _known("_?_:_", "condition ? a : b", "(1 < 2 ? 'a' : 'b') == 'a'"),
    _known("_+_", "a + b, a - b, a * b, a / b, a % b", "7 / 2 == 3 && 7 % 2 == 1 && 'a' + 'b' == 'ab'"),
    _known("@in", "element in list, key in map", "'a' in ['a', 'b'] && 'k' in {'k': 1}"),
    _known("_[_]", "list[index], map[key], map.key", "[1, 2][1] == 2 && {'k': 1}['k'] == {'k': 1}.k"),
    _known("_[?_]", "list[?index], map[?key], map.?key", "{'k': 1}[?'z'].orValue(0) == 0 && [1][?0].hasValue()"),
)
"""Operators; `&&` and `||` give an answer if either side alone settles it, even if the other is an error."""

MACROS: tuple[Function, ...] = (
    _known("has", "has(map.key)", "has({'a': 1}.a) && !has({'a': 1}.b)"),
    _known("all", "list.all(x, condition)", "[1, 2].all(x, x > 0)"),
    _known("exists", "list.exists(x, condition)", "[1, 2].exists(x, x == 2)"),
    _known("exists_one", "list.exists_one(x, condition)", "[1, 2, 3].exists_one(x, x > 2)"),
    _known("map", "list.map(x, value), list.map(x, condition, value)", "[1, 2].map(x, x > 1, x * 2) == [4]"),
    _known("filter", "list.filter(x, condition)", "[1, 2, 3].filter(x, x > 1) == [2, 3]"),
    _known("cel.bind", "cel.bind(name, value, expression)", "cel.bind(x, 2, x * x) == 4"),
    _known("optMap", "optional.optMap(x, value)", "optional.of(1).optMap(x, x + 1).orValue(0) == 2"),
    _known(
        "optFlatMap", "optional.optFlatMap(x, optional)", "optional.of({'a': 1}).optFlatMap(x, x.?b).orValue(0) == 0"
    ),
)
"""Macros: their first argument is a name."""

FUNCTIONS: tuple[Function, ...] = (
    _known("size", "size(x), x.size()", "size('äö') == 2 && [1, 2].size() == 2 && size({'a': 1}) == 1"),
    _known("contains", "string.contains(string)", "'abc'.contains('bc')"),
    _known("startsWith", "string.startsWith(string)", "'abc'.startsWith('ab')"),
    _known("endsWith", "string.endsWith(string)", "'abc'.endsWith('bc')"),
    _known(
        "matches",
        "string.matches(pattern), matches(string, pattern)",
        "'v12'.matches('^v[0-9]+$') && 'a/b/c'.matches('b')",
    ),
    _known("bool", "bool(string)", "bool('true')"),
    _known("bytes", "bytes(string)", "bytes('a') == b'a'"),
    _known("double", "double(x)", "double('1.5') == 1.5 && double(1) == 1.0"),
    _known("duration", "duration(string)", "duration('90s') == duration('1m30s')"),
    _known("dyn", "dyn(x)", "dyn(1) == 1.0"),
    _known("int", "int(x)", "int('7') == 7 && int(1.9) == 1 && int(timestamp(5)) == 5"),
    _known("string", "string(x)", "string(7) == '7' && string(true) == 'true'"),
    _known("timestamp", "timestamp(x)", "timestamp('1970-01-01T00:00:05Z') == timestamp(5)"),
    _known("type", "type(x)", "type(1) == int && type('a') == string"),
    _known("uint", "uint(x)", "uint('7') == 7u"),
    _known("getFullYear", "timestamp.getFullYear(zone)", "timestamp(0).getFullYear() == 1970"),
    _known("getMonth", "timestamp.getMonth(zone)", "timestamp(0).getMonth() == 0"),
    _known("getDate", "timestamp.getDate(zone)", "timestamp(0).getDate() == 1"),
    _known("getDayOfMonth", "timestamp.getDayOfMonth(zone)", "timestamp(0).getDayOfMonth() == 0"),
    _known("getDayOfWeek", "timestamp.getDayOfWeek(zone)", "timestamp(0).getDayOfWeek() == 4"),
    _known("getDayOfYear", "timestamp.getDayOfYear(zone)", "timestamp(0).getDayOfYear() == 0"),
    _known("getHours", "timestamp.getHours(zone), duration.getHours()", "timestamp(0).getHours('+05:30') == 5"),
    _known("getMinutes", "timestamp.getMinutes(zone), duration.getMinutes()", "duration('90m').getMinutes() == 90"),
    _known("getSeconds", "timestamp.getSeconds(zone), duration.getSeconds()", "duration('2m').getSeconds() == 120"),
    _known(
        "getMilliseconds",
        "timestamp.getMilliseconds(zone), duration.getMilliseconds()",
        "duration('1.5s').getMilliseconds() == 500",
    ),
    _known("charAt", "string.charAt(index)", "'abc'.charAt(1) == 'b'"),
    _known("indexOf", "string.indexOf(string, from)", "'abc'.indexOf('c') == 2 && 'abc'.indexOf('z') == -1"),
    _known("lastIndexOf", "string.lastIndexOf(string, from)", "'abca'.lastIndexOf('a') == 3"),
    _known("join", "list.join(separator)", "['a', 'b'].join('-') == 'a-b'"),
    _known("lowerAscii", "string.lowerAscii()", "'ABC'.lowerAscii() == 'abc'"),
    _known("upperAscii", "string.upperAscii()", "'abc'.upperAscii() == 'ABC'"),
    _known("replace", "string.replace(old, new, limit)", "'a.b.c'.replace('.', '-') == 'a-b-c'"),
    _known("reverse", "string.reverse()", "'abc'.reverse() == 'cba'"),
    _known("split", "string.split(separator, limit)", "'a,b'.split(',') == ['a', 'b']"),
    _known("substring", "string.substring(start, end)", "'abcd'.substring(1, 3) == 'bc'"),
    _known("trim", "string.trim()", "' a '.trim() == 'a'"),
    _known("format", "format.format(list)", "'%s has %d'.format(['a', 2]) == 'a has 2'"),
    _known("strings.quote", "strings.quote(string)", "strings.quote('a') == '\"a\"'"),
    _known("math.greatest", "math.greatest(a, b, ...)", "math.greatest(1, 3, 2) == 3 && math.greatest([1, 2]) == 2"),
    _known("math.least", "math.least(a, b, ...)", "math.least(1, 3, 2) == 1"),
    _known("math.abs", "math.abs(number)", "math.abs(-2) == 2"),
    _known("math.ceil", "math.ceil(double)", "math.ceil(1.2) == 2.0"),
    _known("math.floor", "math.floor(double)", "math.floor(1.8) == 1.0"),
    _known("math.round", "math.round(double)", "math.round(1.5) == 2.0"),
    _known("math.trunc", "math.trunc(double)", "math.trunc(-1.7) == -1.0"),
    _known("math.sign", "math.sign(number)", "math.sign(-3) == -1"),
    _known("math.sqrt", "math.sqrt(number)", "math.sqrt(4) == 2.0"),
    _known("math.isInf", "math.isInf(double)", "math.isInf(1.0 / 0.0)"),
    _known("math.isNaN", "math.isNaN(double)", "math.isNaN(0.0 / 0.0)"),
    _known("math.isFinite", "math.isFinite(double)", "math.isFinite(1.5)"),
    _known("math.bitAnd", "math.bitAnd(a, b)", "math.bitAnd(6, 3) == 2"),
    _known("math.bitOr", "math.bitOr(a, b)", "math.bitOr(6, 3) == 7"),
    _known("math.bitXor", "math.bitXor(a, b)", "math.bitXor(6, 3) == 5"),
    _known("math.bitNot", "math.bitNot(a)", "math.bitNot(5) == -6"),
    _known("math.bitShiftLeft", "math.bitShiftLeft(a, bits)", "math.bitShiftLeft(1, 3) == 8"),
    _known("math.bitShiftRight", "math.bitShiftRight(a, bits)", "math.bitShiftRight(8, 2) == 2"),
    _known("base64.encode", "base64.encode(bytes)", "base64.encode(b'hello') == 'aGVsbG8='"),
    _known("base64.decode", "base64.decode(string)", "base64.decode('aGVsbG8=') == b'hello'"),
    _known("optional.of", "optional.of(x)", "optional.of(1).value() == 1"),
    _known("optional.none", "optional.none()", "!optional.none().hasValue()"),
    _known("optional.ofNonZeroValue", "optional.ofNonZeroValue(x)", "!optional.ofNonZeroValue('').hasValue()"),
    _known("hasValue", "optional.hasValue()", "optional.of(1).hasValue()"),
    _known("value", "optional.value()", "optional.of(1).value() == 1"),
    _known("or", "optional.or(optional)", "optional.none().or(optional.of(2)).value() == 2"),
    _known("orValue", "optional.orValue(x)", "{'a': 1}.?b.orValue(3) == 3"),
    _known("first", "list.first()", "[1, 2].first().value() == 1"),
    _known("last", "list.last()", "[1, 2].last().value() == 2"),
)
"""Functions of the standard library and of the extensions strings, math, encoders and optional."""
