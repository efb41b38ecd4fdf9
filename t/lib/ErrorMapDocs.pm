package ErrorMapDocs;

# The documentation: its files, the blocks of a page, and the statements of an
# nginx configuration.

use strict;
use warnings;

use ErrorMap qw(slurp);
use Exporter qw(import);
use Test::More;

our @EXPORT = qw(@files document right statements name arg all);

my $root = $ErrorMap::root;

our @files = ('README.md', 'CONTRIBUTING.md', 'SECURITY.md',
             map { s{^\Q$root/}{}r } sort glob "$root/docs/*.md");


# files that examples include and conf/ does not have

my %include = (
    'mime.types' => 'types { application/json json; text/html html; }',
    'acme.codes' => '4001 404 NOT_FOUND "no such file";',
);


# document(file): its fenced blocks [{ tag, text, line, section }], its
# headings, and the lines of its text without the blocks, with the same numbers

sub document {
    my ($file) = @_;
    my (@block, @prose, @heading, $open);
    my $section = '';

    for (split /\n/, slurp("$root/$file")) {
        push @prose, '';

        if ($open) {
            if (/^\s*\Q$open->{fence}\E`*\s*$/) {
                undef $open;
            } else {
                $open->{text} .= s/^ {0,$open->{indent}}//r . "\n";
            }

        } elsif (/^( {0,3})(`{3,}|~{3,})\s*([^\s`]*)/) {
            $open = { fence => $2, indent => length $1, tag => $3,
                      line => scalar @prose, section => $section, text => '' };
            push @block, $open;

        } else {
            $prose[-1] = $_;

            if (/^(#{1,6}) +(.*?)[ #]*$/) {
                push @heading, $2;
                $section = "$file:" . @prose . ": $2" if length $1 <= 3;
            }
        }
    }

    return { file => $file, block => \@block, prose => \@prose,
             heading => \@heading, open => $open };
}


# one test: ok if nothing is wrong

sub right {
    my ($name, @wrong) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok(!@wrong, $name) or diag(map { "    $_\n" } @wrong);
}


# nginx's syntax: a list of { words => [as they are written], block => [...] }

sub statements {
    my ($text) = @_;
    my @stack = ([]);
    my @words;

    for ($text) {
        while (!/\G(?:\s+|#[^\n]*)*\z/gc) {
            /\G(?:\s+|#[^\n]*)+/gc;

            if (/\G;/gc) {
                die "\";\" after nothing\n" if !@words;
                push @{ $stack[-1] }, { words => [splice @words] };

            } elsif (/\G\{/gc) {
                die "\"{\" after nothing\n" if !@words;
                push @{ $stack[-1] }, { words => [splice @words], block => [] };
                push @stack, $stack[-1][-1]{block};

            } elsif (/\G\}/gc) {
                die "\"}\" after \"@words\"\n" if @words;
                die "one \"}\" too many\n" if @stack == 1;
                pop @stack;

            } elsif (/\G("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')/gcs
                     || /\G((?:\\.|\$\{|[^\s;{\\])+)/gcs)
            {
                push @words, $1;

            } else {
                die "invalid nginx syntax: " . substr($_, pos || 0, 30) . "\n";
            }
        }
    }

    die "no \";\" after \"@words\"\n" if @words;
    die "no \"}\" at the end\n" if @stack > 1;

    return included($stack[0]);
}


# the list with included files in their places

sub included {
    my ($list) = @_;
    my @out;

    for my $s (@$list) {
        if (name($s) ne 'include') {
            $s->{block} = included($s->{block}) if $s->{block};
            push @out, $s;
            next;
        }

        my $file = arg($s, 1);
        my $text = $include{$file} // slurp("$root/conf/$file");

        die "include $file: there is no conf/$file\n" if $text eq '';
        push @out, @{ statements($text) };
    }

    return \@out;
}


sub arg {
    my ($s, $n) = @_;

    my $word = $s->{words}[$n] // return '';
    $word =~ s/^(["'])(.*)\1\z/$2/s;
    return $word;
}

sub name { return arg($_[0], 0) }


# all statements of a list, at every depth

sub all {
    my ($list) = @_;

    return map { ($_, $_->{block} ? all($_->{block}) : ()) } @$list;
}


1;
