#
# Checks one table before gperf reads it:  LC_ALL=C awk -f em_check.awk NAME.gperf
#
# A bad row stops the build with its file and line.  gperf and the compiler
# accept most of them: a title that breaks a quoted header value, a status
# without a body, a duplicate code.
#

function bad(message)
{
    printf "%s:%d: %s\n", FILENAME, FNR, message | "cat 1>&2"
    errors++
}


# what says whose title it is

function check_title(title, what,    n)
{
    if (title == "") {
        bad("empty title of " what)
    }

    if (title == "TODO") {
        bad("title of " what " is still \"TODO\"")
    }

    # the other bytes of a character do not count

    n = length(title) - gsub(/[\200-\277]/, "&", title)

    if (n > 80) {
        bad("title of " what " has " n " characters, it must have at most 80")
    }

    if (title ~ /[\001-\037"\177\\]|\302[\200-\237]/ || !is_utf8(title)) {
        bad("invalid title of " what ", it must be printable UTF-8 " \
            "without \" and \\")
    }

    if (title ~ /\?\?/) {
        bad("invalid title of " what ", it must not have \"??\", a trigraph")
    }
}


function is_utf8(text)
{
    gsub(/[ -~]|[\302-\337][\200-\277]/, "", text)
    gsub(/[\340-\357][\200-\277][\200-\277]/, "", text)
    gsub(/[\360-\364][\200-\277][\200-\277][\200-\277]/, "", text)

    return text == ""
}


# a draft marks its suggestions

function check_mark(text, what)
{
    if (text ~ /\/\* \? \*\/[ \t\r]*$/) {
        bad("class and title of " what " are suggestions, remove " \
            "\"/* ? */\" once they are right")
    }
}


function is_status(status)
{
    return status ~ /^[2-5][0-9][0-9]$/ && status !~ /^(204|205|206|304)$/
}


# the words of an em_line() that ends in its line; nginx checks the others, too

function check_line(text,    n, w, what, words, whole)
{
    if (text !~ /"[ \t]*\)/) {
        return
    }

    whole = text

    for (n = 0; match(text, /"([^"\\]|\\.)*"/); n++) {
        w[n + 1] = substr(text, RSTART + 1, RLENGTH - 2)
        text = substr(text, RSTART + RLENGTH)
    }

    if (n > 24) {
        bad("em_line() has " n " words, it must have at most 24")
    }

    words = w[1] == "default" ? 4 : 5

    if (w[1] !~ /^(range|prefix|pattern|default|code)$/ \
        || (n == 4 && w[2] ~ /^(-|[0-9]+)$/ && w[1] != "default"))
    {
        return
    }

    what = "row \"" w[1] (words == 5 ? " " w[2] : "") "\""

    if (n != words) {
        bad("invalid em_line() of \"" w[1] "\", it must be: \"" w[1] "\", " \
            (words == 5 ? "what, " : "") "status or \"-\", class, title")
        return
    }

    if (w[1] == "range" && w[2] !~ /^-?[0-9]+--?[0-9]+$/) {
        bad("invalid " what ", it must be first-last")
    }

    if (w[n - 2] != "-" && !is_status(w[n - 2])) {
        bad("invalid status \"" w[n - 2] "\" of " what ", it must be \"-\" " \
            "or from 200 to 599 except 204, 205, 206 and 304")
    }

    if (!("EM_" w[n - 1] in class)) {
        bad("unknown class \"" w[n - 1] "\" of " what ", it must be one " \
            "of: " classes)
    }

    check_title(w[n], what)
    check_mark(whole, what)
}


BEGIN {
    classes = "OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED " \
              "NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED " \
              "RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE " \
              "UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED"

    for (i = split(classes, list, " "); i > 0; i--) {
        class["EM_" list[i]] = 1
    }

    needed = "%compare-lengths %readonly-tables %global-table %struct-type " \
             "%omit-struct-type"
}


FNR == 1 {
    name = FILENAME
    sub(/.*\//, "", name)
    sub(/\.gperf$/, "", name)

    if (name !~ /^[a-z][a-z0-9_]*$/) {
        bad("invalid document name \"" name "\", it must be a letter a-z, " \
            "then a-z, 0-9 and \"_\"")
    }
}


/^%%[ \t\r]*$/ {
    section++
    next
}


section == 0 && /^%/ {
    declared[$1] = 1
    next
}


section == 2 && index($0, "em_document(" name ")") {
    defined = 1
    next
}


section == 2 && index($0, "em_document_lines(" name ")") {
    defined = 2
    next
}


section == 2 && /em_line[ \t]*\(/ {
    lines = FNR
    check_line(substr($0, index($0, "em_line")))
    next
}


section != 1 || /^#/ {
    next
}


{
    row = $0

    # the title is quoted, commas separate the fields before it

    marked = row
    sub(/[ \t]*\/\* \? \*\/[ \t\r]*$/, "", row)

    if (!match(row, /"/)) {
        bad("invalid row, it must be: code, status, EM_CLASS, \"title\"")
        next
    }

    title = substr(row, RSTART + 1)
    n = split(substr(row, 1, RSTART - 1), field, ",")

    if (n != 4 || field[4] !~ /^[ \t]*$/ || title !~ /"[ \t\r]*$/) {
        bad("invalid row, it must be: code, status, EM_CLASS, \"title\"")
        next
    }

    sub(/"[ \t\r]*$/, "", title)

    for (i = 2; i <= 3; i++) {
        gsub(/[ \t]/, "", field[i])
    }

    code = field[1]
    status = field[2]
    rows++

    if (code !~ /^[A-Za-z0-9._:\/-]+$/ || length(code) > 128) {
        bad("invalid code \"" code "\", it must be 1 to 128 characters of " \
            "A-Z a-z 0-9 . _ : / -")
    }

    if (code in line) {
        bad("duplicate code \"" code "\", the first is in line " line[code])

    } else {
        line[code] = FNR
    }

    if (status != "0" && !is_status(status)) {
        bad("invalid status \"" status "\" of code \"" code "\", it must be " \
            "0 or from 200 to 599 except 204, 205, 206 and 304")
    }

    if (!(field[3] in class)) {
        bad("unknown class \"" field[3] "\" of code \"" code "\", it must " \
            "be EM_ and one of: " classes)
    }

    check_title(title, "code \"" code "\"")
    check_mark(marked, "code \"" code "\"")
}


END {
    if (section != 2) {
        bad("a table must have a line \"%%\" before and after its rows")
    }

    for (i = split(needed, list, " "); i > 0; i--) {
        if (!(list[i] in declared)) {
            bad("no declaration \"" list[i] "\"")
        }
    }

    if (!rows) {
        bad("no rows")
    }

    if (!defined) {
        bad("no \"em_document(" name ");\" after the second \"%%\"")
    }

    if (lines && defined == 1) {
        FNR = lines
        bad("\"em_document(" name ");\" leaves lines out, it must be " \
            "\"em_document_lines(" name ");\"")
    }

    exit (errors > 0)
}
