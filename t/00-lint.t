# tools/lint on a copy of the project: the project passes; an upward include, an
# upward symbol and a call cycle fail, each with its place.

use strict;
use warnings;

use ErrorMap ();
use ErrorMapUnit;
use File::Basename qw(basename dirname);
use File::Temp qw(tempdir);
use Test::More;

my $dir = tempdir(CLEANUP => 1);
my ($copy, $objs) = ("$dir/project", "$dir/objs");

run("mkdir $copy $objs && cd $root && cp -R config ngx_module tools $copy"
    . " && cp -R @{[built()]}/* $objs");

my ($list) = ErrorMap::slurp("$copy/config") =~ /^em_layers="(.*)"$/m;
my @layers = split ' ', $list;
my ($low, $high) = @layers[0, -1];

my ($reader) = map { "$low/" . basename($_) } glob "$copy/ngx_module/$low/*.h";
my ($header) = map { basename($_) } glob "$copy/ngx_module/$high/*.h";
my $lines = () = ErrorMap::slurp("$copy/ngx_module/$reader") =~ /\n/g;


sub run {
    my ($command) = @_;

    system('sh', '-c', $command) == 0 or die "failed: $command\n";
}


# the folder of the objects that the nginx under test has been built from

sub built {
    my $nginx = dirname(ErrorMap::nginx());

    for ("$nginx/addon", "$nginx-module/objs/addon",
         "$root/build/debian/objs/addon", glob "$root/build/*/objs/addon")
    {
        return $_ if -d "$_/ngx_module";
    }

    die "no objects of the module below build/, run \"make\"\n";
}


# the exit status of tools/lint and all that it prints

sub lint {
    my ($objs) = @_;
    my $out = `$copy/tools/lint $copy $objs 2>&1`;

    return ($? >> 8, $out);
}


# planted({ file => text }, pattern, name): adds the text to the files of
# ngx_module/, compiles those that are new, and runs tools/lint

sub planted {
    my ($files, $pattern, $name) = @_;
    my $cc = $ENV{CC} || 'cc';
    my (%saved, @made);

    for (sort keys %$files) {
        my $file = "$copy/ngx_module/$_";

        $saved{$file} = ErrorMap::slurp($file);
        ErrorMap::spew($file, $saved{$file} . $files->{$_});

        if (/(\w+)\/(\w+)\.c$/ && $saved{$file} eq '') {
            push @made, "$objs/$1/$2.o";
            run("$cc -c -o $made[-1] $file");
        }
    }

    my ($status, $out) = lint($objs);

    isnt($status, 0, "$name fails");
    like($out, $pattern, '... and is named');

    $saved{$_} eq '' ? unlink $_ : ErrorMap::spew($_, $saved{$_})
        for keys %saved;
    unlink @made;
}


sub passes {
    my ($name) = @_;
    my ($status, $out) = lint($objs);

    is($status, 0, $name) or diag($out);
}


passes('the project passes');


# includes

my $line = $lines + 1;

planted({ $reader => "#include \"$header\"\n" },
        qr{^ngx_module/$reader:$line: includes $header of $high$}m,
        'an upward include');

planted({ $reader => "#  include <../$high/$header>\n" },
        qr{^ngx_module/$reader:$line: includes \S+ of $high$}m,
        'an upward include by a path');

planted({ "$high/em_x.h" => "\n#include \"em_none.h\"\n" },
        qr{^ngx_module/$high/em_x\.h:2: includes em_none\.h, which is in no}m,
        'a header that is in no layer');

planted({ "$low/em_x.h" => "#include <ngx_core.h>\n" },
        qr{^ngx_module/$low/em_x\.h:1: includes ngx_core\.h, and $low may use}m,
        'a header of nginx in the core');


# symbols

my $uses = 'int em_y(void); int em_x(void); int em_x(void) { return em_y(); }';
my $used = '__attribute__((visibility("hidden"))) int em_y(void);'
           . ' int em_y(void) { return 1; }';

planted({ "$low/em_x.c" => $uses, "$high/em_y.c" => $used },
        qr{^$low/em_x\.o: uses em_y of $high \($high/em_y\.o\)$}m,
        'an upward symbol');

planted({ "$high/em_x.c" => $uses, '../ngx_module/em_y.c' => $used },
        qr{^$high/em_x\.o: uses em_y of ngx_module \(ngx_module/em_y\.o\)$}m,
        "a symbol of the module's own file");


# cycles

my $back = 'int em_x(void); int em_y(void); int em_y(void) { return em_x(); }';

planted({ "$high/em_x.c" => $uses, "$high/em_y.c" => $back },
        qr{^cycle:\ $high/em_x\.o\ uses\ em_y\ of\ $high/em_y\.o,
           \ $high/em_y\.o\ uses\ em_x\ of\ $high/em_x\.o\n
           .*\ 2\ of\ them\ in\ cycles}mx,
        'a cycle of two units');

planted({ "$high/em_x.c" => $uses,
          "$high/em_y.c" => $back =~ s/em_x/em_z/gr,
          "$high/em_z.c" => $uses =~ s/em_x/em_z/gr =~ s/em_y/em_x/gr },
        qr{^cycle: .* 3 of them in cycles}ms, 'a cycle of three units');


# what it depends on

passes('the copy passes again');

ErrorMap::spew("$copy/ngx_module/$low/em_x.c", '');

my ($status, $out) = lint($objs);

isnt($status, 0, 'a unit that is not compiled fails');
like($out, qr{no object \S+/$low/em_x\.o}, '... and is named');

unlink "$copy/ngx_module/$low/em_x.c";

($status, $out) = lint("$dir/none");

isnt($status, 0, 'a missing folder of objects fails');
like($out, qr{no objects in "$dir/none"}, '... and is named');

mkdir "$copy/ngx_module/apart";

planted({}, qr{^ngx_module/apart: not in config's em_layers$}m,
        'a folder that is not a layer');

rmdir "$copy/ngx_module/apart";

my $config = ErrorMap::slurp("$copy/config");

ErrorMap::spew("$copy/config",
               $config =~ s/^em_layers=.*/em_layers="@{[reverse @layers]}"/mr);

planted({}, qr{^ngx_module/\S+:\d+: includes \S+ of $low$}m,
        'the opposite order of layers in config');

ErrorMap::spew("$copy/config", $config =~ s/^em_layers=.*//mr);

planted({}, qr/no em_layers in config/, 'a config without layers');

done_testing();
