package Draft::Guess;

# Guesses from the examples and the prose of a document: the members of a body
# that have the code, the message and the request's id, and the codes of success.

use strict;
use warnings;
use utf8;

use Draft::Cell qw(uniq $success_re);
use Exporter qw(import);
use JSON::PP ();

our @EXPORT = qw(bodies guess_pointers guess_fields guess_success);


# bodies(text): the JSON objects in it, each as its members' [pointer, value]

sub bodies {
    my ($text) = @_;

    my @bodies;
    my $json = JSON::PP->new->relaxed;
    my $object = qr/(\{(?:[^{}"]++|"(?:[^"\\\n]|\\.)*+"|(?1))*+\})/;

    while ($text =~ /$object/g) {
        my $body = $1;

        $body =~ s{(?<!:)//[^"\n]*$}{}mg;
        $body = eval { $json->decode($body) } or next;
        push @bodies, members('', $body);
    }

    return @bodies;
}


sub members {
    my ($pointer, $value) = @_;

    if (ref $value ne 'HASH') {
        return [] if !defined $value || ref $value;
        return [ [ $pointer, "$value" ] ];
    }

    return [ map {
        my $key = $_;

        $key =~ s/~/~0/g;
        $key =~ s{/}{~1}g;
        @{members("$pointer/$key", $value->{$_})};
    } sort keys %$value ];
}


# guess_pointers(text, bodies, rows): the source of the guess, and the members
# that may have the code

sub guess_pointers {
    my ($text, $bodies, $rows) = @_;

    my $like_code = qr{/[^/]*(?:code|errno|error|status|ret)[^/]*$}i;
    my @like = grep { $_->[0] =~ $like_code } map { @$_ }
               grep { !is_catalog($_, $rows) } @$bodies;
    my @known = grep { $rows->has($_->[1]) } @like;

    return ('a body with such a code', uniq(map { $_->[0] } @known)) if @known;

    if ($text =~ /\b([A-Za-z]\w*)`? *中的 *`?(\w*code\w*)/ai) {
        return ("\"$&\"", "/$1/$2");
    }

    return ('a body', uniq(map { $_->[0] } @like)) if @like;

    my $field = qr/^[^\w\n]*(\w*(?:code|errno))\b(?!.*\bhttp)[^\n]{0,60}?
                   (?:错误码|返回码|状态码|error\ code)/aimx;

    return ("a field's description", "/$1") if $text =~ $field;
    return ();
}


# whether a body is a list of codes, for it has two at one depth or more

sub is_catalog {
    my ($body, $rows) = @_;
    my %depth;

    $depth{s{^.*/}{}r . ($_ =~ tr{/}{})}++ for uniq(map { $_->[0] }
                                                grep { $rows->has($_->[1]) } @$body);

    return grep { $_ > 1 } values %depth;
}


# guess_fields(bodies, pointer, ...): [field, pointer] of the members that have
# the vendor's message and the request's id, in bodies that have a code; those
# beside the code are preferred

sub guess_fields {
    my ($bodies, @sources) = @_;

    my @like = ([ message => qr{/(?:err(?:or)?_?)?(?:message|msg)$}i ],
                [ request_id => qr{/(?:request|trace|log)_?id$}i ]);
    my %source = map { $_ => 1 } @sources;
    my @pointers = uniq(map { $_->[0] } map { @$_ }
                        grep { grep { $source{$_->[0]} } @$_ } @$bodies);

    my %parent = map { s{/[^/]*$}{}r => 1 } @sources;

    return map {
        my ($field, $name) = @$_;
        my @found = grep { $_ =~ $name } @pointers;
        my @beside = grep { $parent{s{/[^/]*$}{}r} } @found;

        map { [ $field, $_ ] } @beside ? @beside : @found;
    } @like;
}


# guess_success(text, bodies, rows, pointer, ...): the source of the guess, and
# the codes of success

sub guess_success {
    my ($text, $bodies, $rows, @pointers) = @_;

    my %pointer = map { $_ => 1 } @pointers;
    my @found = map { $_->{code} } grep { $_->{success} } $rows->entries;

    for my $body (@$bodies) {
        next if !grep { $_->[1] =~ /^(?:$success_re|ok)$/i } @$body;
        push @found, map { $_->[1] } grep { $pointer{$_->[0]} } @$body;
    }

    while ($text =~ /(?<![\w.])(-?[0-9]+|OK|SUCCESS)\s*
                     (?:[为是:：=]|表示|代表|means|indicates)\s*$success_re/xaig)
    {
        push @found, $1;
    }

    return @found ? ('the document', uniq(@found)) : ('habit', '0');
}


1;
