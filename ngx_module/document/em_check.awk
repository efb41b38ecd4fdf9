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


section == 2 && (index($0, "em_document(" name ")") \
                 || index($0, "em_document_lines(" name ")")) {
    defined = 1
    next
}


section != 1 || /^#/ {
    next
}


{
    row = $0

    # the title is quoted, commas separate the fields before it

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

    if (status !~ /^[0-9]+$/ \
        || (status != "0" && (status !~ /^[2-5][0-9][0-9]$/ \
                              || status ~ /^(204|205|206|304)$/)))
    {
        bad("invalid status \"" status "\" of code \"" code "\", it must be " \
            "0 or from 200 to 599 except 204, 205, 206 and 304")
    }

    if (!(field[3] in class)) {
        bad("unknown class \"" field[3] "\" of code \"" code "\", it must " \
            "be EM_ and one of: " classes)
    }

    if (title == "") {
        bad("empty title of code \"" code "\"")
    }

    if (title == "TODO") {
        bad("title of code \"" code "\" is still \"TODO\"")
    }

    if (length(title) > 80) {
        bad("title of code \"" code "\" has " length(title) \
            " characters, it must have at most 80")
    }

    if (title ~ /[^] !#-[^-~]/) {
        bad("invalid title of code \"" code "\", it must be printable ASCII " \
            "without \" and \\")
    }

    if (title ~ /\?\?/) {
        bad("invalid title of code \"" code "\", it must not have \"??\", " \
            "a trigraph")
    }
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

    exit (errors > 0)
}
