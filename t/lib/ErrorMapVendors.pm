package ErrorMapVendors;

# The documents of conf/vendors, and the vendors' answers of t/data/vendors.
#
# t/data/vendors/NAME.cases has, for each case, a line that begins with "?" (status,
# type and a header of the response), its body in one line, and a line that
# begins with "!" (verdict; code, with %20 for a blank, status and class;
# message, request id and retry_after, which are separated by " | ").

use strict;
use warnings;

use ErrorMap qw(slurp);
use Exporter qw(import);
use File::Basename qw(basename);

our @EXPORT = qw(vendors_dir vendor_names vendor_types vendor_cases);

my $root = $ErrorMap::root;


sub vendors_dir { "$root/conf/vendors" }

sub vendor_names {
    return map { basename($_, '.conf') } sort glob vendors_dir() . '/*.conf';
}


# vendor_types(name): the content types that the document asks for besides
# application/json, or ""

sub vendor_types {
    my ($name) = @_;

    my ($types) = slurp(vendors_dir() . "/$name.conf") =~ /^# Types: (.*)/m;

    return $types // '';
}


# vendor_cases(name): hashes of name, n (from 1), head without its last line,
# body, and what is wanted (is)

sub vendor_cases {
    my ($name) = @_;

    my $file = "$root/t/data/vendors/$name.cases";
    my @lines = split /\n/, slurp($file);
    my @cases;

    while (@lines) {
        my ($first, $body, $last) = splice @lines, 0, 3;

        my ($status, $type, $header) = $first
            =~ m{^\? (\d{3})(?: (\S+))?(?: ([\w-]+: .+))?$}
            or die "$file: $first";

        my ($verdict, $code, $edge, $class, $fields) = ($last // '')
            =~ /^! (\w+)(?: (\S+) (\d{3}) ([A-Z_]+)(?: \| (.*))?)?$/
            or die "$file: $first";

        my ($message, $id, $after) = map { s/^ +| +$//gr }
                                     split /\|/, $fields // '';

        $code =~ s/%20/ /g if defined $code;

        push @cases, {
            name => $name, n => @cases + 1, body => $body,
            head => "HTTP/1.1 $status X\r\nContent-Type: "
                    . ($type // 'application/json')
                    . ($header ? "\r\n$header" : ''),
            is => { verdict => $verdict, code => $code,
                    status => $edge // $status, class => $class,
                    message => $message, id => $id, after => $after },
        };
    }

    return @cases;
}

1;
