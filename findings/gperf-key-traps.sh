#!/bin/sh
#
# gperf 3.1 (Debian 12): codes as keywords of a table, with exit 0.
#
# Expected: blanks around the comma do not matter, and an escape is as in most tools two hex digits, or an error.
# Seen:     "42505 , 1" makes a key with a blank at its end, which no code of a vendor equals.  "a\x41b" takes all hex
#           digits, is out of range, gives the key a ESC, and still exits with 0.  A line that begins with # is
#           left out without a word.  "42505" , 1 in quotes is an error, so only the unquoted form is silent.
#
# A table made by a script from a document must quote each key, write octal escapes, and look for itself at standard error.

set -eu

packages="gperf=3.1-1"

. "$(dirname "$0")/lib/debian.sh"

"$dir/usr/bin/gperf" --version | sed -n 1p

key() {    # one row -> exit status, keys of the table, message
    printf '%%{\n%%}\nstruct row { const char *name; int v; };\n%%%%\n%s\nlast, 9\n' "$1" > "$dir/in"
    rc=0; "$dir/usr/bin/gperf" -t "$dir/in" > "$dir/out" 2> "$dir/err" || rc=$?
    printf '%s %s%s\n' "$rc" "$(grep -o '{"[^}]*}' "$dir/out" | grep -v '{""}' | sort | tr '\n' ' ')" "$(grep -o ':.*' "$dir/err" || :)"
}

see '42505, 1'      "$(key '42505, 1')"       '0 {"42505", 1} {"last", 9} '
see '42505 , 1'     "$(key '42505 , 1')"      '0 {"42505 ", 1} {"last", 9} '
see '"42505" , 1'   "$(key '"42505" , 1')"    '1 :5: string not followed by delimiter'
see '#42505, 1'     "$(key '#42505, 1')"      '0 {"last", 9} '
see '"#42505", 1'   "$(key '"#42505", 1')"    '0 {"#42505", 1} {"last", 9} '
see '"a\x41b", 1'   "$(key '"a\x41b", 1')"    '0 {"a\033", 1} {"last", 9} :5: hexadecimal escape out of range'
see '"a\101b", 1'   "$(key '"a\101b", 1')"    '0 {"aAb", 1} {"last", 9} '

exit $bad
