# The twenty likeliest mistakes in a configuration, the likeliest first, with
# the complete message of "nginx -t"; who follows it gets a valid configuration.
# 60-conf-errors.t has the other mistakes.

use strict;
use warnings;

use lib 't/lib';

use ErrorMap;
use ErrorMapConf;
use Test::More;

# The mistake, the http block from its second line, which is nginx.conf:6, the
# message, and the replacements that correct it.

mistake('a misspelt name of a document', <<'END',
server {
    location /iotvideo/ {
        error_map   tencent-iotvideo;
        proxy_pass  http://127.0.0.1:8080;
    }
}
END
    qq{unknown document "tencent-iotvideo", it must be off or one of: }
    . qq{$documents in nginx.conf:8},
    'tencent-iotvideo' => 'tencent_iotvideo');

mistake('a policy that is not declared', <<'END',
server {
    location /plates/ {
        error_map   vzenith policy=edge;
        proxy_pass  http://127.0.0.1:8080;
    }
}
END
    'unknown policy "edge", it must be declared by "error_map_policy edge '
    . '{ ... }" in nginx.conf:8',
    'server {' => 'error_map_policy edge { unknown 502; } server {');

mistake('a policy without "policy="', <<'END',
error_map_policy edge { base class; }

server {
    location /plates/ {
        error_map   vzenith edge;
        proxy_pass  http://127.0.0.1:8080;
    }
}
END
    'invalid parameter "edge", it must be policy=name in nginx.conf:10',
    'vzenith edge' => 'vzenith policy=edge');

mistake('a row without ";"', <<'END',
error_map_policy edge {
    base     class;
    class    UNAVAILABLE         503 retry_after=5s
    class    RESOURCE_EXHAUSTED  429;
}
END
    'invalid number of arguments in row "class" of error_map_policy "edge", it '
    . 'must be "class NAME status | keep [retry_after=time] '
    . '[next_upstream[=off]] [fails=off];" in nginx.conf:9',
    'retry_after=5s' => 'retry_after=5s;');

mistake('a block without "}"', <<'END',
error_map_policy edge {
    unknown  502;

server {
    error_map  vzenith policy=edge;
}
END
    'unexpected "{" in nginx.conf:9',
    "502;\n" => "502;\n}\n");

mistake('a class in lower case', <<'END',
error_map_policy edge {
    class  unavailable  503 retry_after=5s;
}
END
    qq{unknown class "unavailable" in error_map_policy "edge", it must be one }
    . qq{of: $classes in nginx.conf:7},
    'unavailable' => 'UNAVAILABLE');

mistake('a code without its document', <<'END',
error_map_policy edge {
    code  42505  429 retry_after=30s;
}
END
    'invalid code "42505" in error_map_policy "edge", it must be document/code '
    . 'or document/first-last in nginx.conf:7',
    '42505' => 'tencent_iotvideo/42505');

mistake('a list of codes', <<'END',
error_map_policy edge {
    code  tencent_iotvideo/42501,42505  429;
}
END
    'unknown code "42501,42505" of document "tencent_iotvideo" in row "code '
    . 'tencent_iotvideo/42501,42505" of error_map_policy "edge", it must be '
    . 'a code of the document or a range in nginx.conf:7',
    '42501,42505' => '42501-42505');

mistake('"4xx"', <<'END',
error_map_policy edge {
    status  4xx  502;
}
END
    'invalid document status "4xx" in error_map_policy "edge", it must be a '
    . 'number from 200 to 599 in nginx.conf:7',
    '4xx' => '456');

mistake('a status without a body', <<'END',
error_map_policy edge {
    class  NOT_FOUND  204;
}
END
    'invalid status "204" in row "class NOT_FOUND" of error_map_policy "edge", '
    . 'it must be keep or from 200 to 599 except 204, 205, 206 and 304 in '
    . 'nginx.conf:7',
    '204' => 'keep');

mistake('a fraction of a second', <<'END',
error_map_policy edge {
    class  UNAVAILABLE  503 retry_after=1.5s;
}
END
    'invalid retry_after "1.5s" in row "class UNAVAILABLE" of error_map_policy '
    . '"edge", it must be a time in whole seconds, like 30s or 5m in '
    . 'nginx.conf:7',
    '1.5s' => '2s');

mistake('a policy in a server', <<'END',
server {
    error_map_policy edge { unknown 502; }

    error_map   vzenith policy=edge;
}
END
    '"error_map_policy" directive is not allowed here in nginx.conf:7',
    "server {\n    error_map_policy edge { unknown 502; }" =>
    "error_map_policy edge { unknown 502; }\nserver {");

mistake('"if"', <<'END',
server {
    location / {
        if ($http_x_vendor = plate) {
            error_map  vzenith;
        }

        proxy_pass  http://127.0.0.1:8080;
    }
}
END
    '"error_map" directive is not allowed here in nginx.conf:9',
    'server {' => 'map $http_x_vendor $vendor { default off; plate vzenith; } '
                  . 'server {',
    "if (\$http_x_vendor = plate) {\n            error_map  vzenith;\n        }"
    => 'error_map  $vendor;');

mistake('a path that is not a JSON pointer', <<'END',
error_map_document acme {
    source   json  error.code;
    success  0;
    1001     401   UNAUTHENTICATED  "token missing";
}
END
    'invalid path "error.code" in error_map_document "acme", it must be a '
    . 'JSON pointer like "/error/code" or a JSONPath like "$.errors[*].code" '
    . 'in nginx.conf:7',
    'error.code' => '/error/code');

mistake('a title without quotes', <<'END',
error_map_document acme {
    source   json  /error/code;
    1001     401   UNAUTHENTICATED     token missing;
    1002     -     RESOURCE_EXHAUSTED  "quota used up";
}
END
    qq{invalid row "1001" in error_map_document "acme", it must be "code }
    . qq{status CLASS 'title';" with "-" for no status, or begin with source, }
    . 'success, code, range, prefix, pattern, default, field, retry_after, '
    . 'charset or include in nginx.conf:8',
    'token missing' => "'token missing'");

mistake('more rows for a compiled document', <<'END',
error_map_document vzenith {
    9001  503  UNAVAILABLE  "camera is updated";
}
END
    'no source in error_map_document "vzenith", it must have at least one, '
    . 'like "source json /error/code;" in nginx.conf:6',
    'error_map_document vzenith' => 'error_map_document vzenith base=vzenith');

mistake('a pattern without a group', <<'END',
error_map_document legacy {
    source  regex  "<Code>\w+</Code>";
    E77     -      INTERNAL  "database is down";
}

server {
    error_map        legacy;
    error_map_types  text/xml;
}
END
    'invalid pattern "<Code>\w+</Code>" in error_map_document "legacy", it '
    . 'must have a group for the code, the first one or one named "code" in '
    . 'nginx.conf:7',
    '\w+' => '(\w+)');

mistake('every type as in Accept', <<'END',
server {
    error_map        vzenith;
    error_map_types  */*;
}
END
    'invalid type "*/*" in "error_map_types", it must be like text/xml, or * '
    . 'for all types in nginx.conf:8',
    '*/*' => '*');

mistake('a header as in add_header', <<'END',
server {
    error_map         vzenith;
    error_map_header  X-Error-Code $error_map_code always;
}
END
    'invalid parameter "always" in "error_map_header", it must be '
    . '"error_map_header name value", with quotes around a value with spaces '
    . 'in nginx.conf:8',
    ' always' => '');

mistake('counters without memory', <<'END',
error_map  vzenith;

server {
    location = /metrics { error_map_metrics prometheus; }
}
END
    '"error_map_metrics" requires "error_map_zone name size;" in nginx.conf:9',
    'server {' => 'error_map_zone counters 1m; server {');

done_testing();


sub mistake {
    my ($name, $http, $message, @changes) = @_;

    is(refusal($http), $message, "refused: $name");

    while (my ($wrong, $right) = splice @changes, 0, 2) {
        die "not once: $wrong" if 1 != (() = $http =~ /\Q$wrong\E/g);
        $http =~ s/\Q$wrong\E/$right/;
    }

    is(configuration_error($http), '', '... and accepted once corrected');
}
