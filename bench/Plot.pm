package Plot;

# Draws a plot as SVG with gnuplot.
#
#     plot(file => 'bench/plots/name.svg', title => '...',
#          xlabel => '... (unit)', ylabel => '... (unit)', logx => 1,
#          logy => 0, ymin => 0, key => 'left',
#          series => [ [ 'name', [ [ x, y ], ... ] ],
#                      [ 'name', [ ... ], 'line' ], ... ])
#
# A series is drawn with points, or as a dashed line without points.  A point of
# four numbers is x, y, low, high, and has an error bar.  The colours and the
# white background are fixed, as the page around the plot may be dark.

use strict;
use warnings;

use Exporter qw(import);
use File::Basename qw(dirname);
use File::Path qw(make_path);
use File::Temp;

our @EXPORT_OK = qw(plot);

# distinguishable by colour-blind readers, too

my @colours = ('#777777', '#0060a8', '#c84800', '#00805a', '#8a3b8f',
               '#b08a00');


sub plot {
    my (%arg) = @_;

    make_path(dirname($arg{file}));

    my $ymin = defined $arg{ymin} ? $arg{ymin} : '*';
    $ymin = 0 if !defined $arg{ymin} && !$arg{logy};

    # with "noenhanced" the underscore of error_map makes no subscript

    my $text = <<"END";
set terminal svg noenhanced size 640,360 font 'sans,13' background '#ffffff'
set output @{[quote($arg{file})]}
set title @{[quote($arg{title})]}
set xlabel @{[quote($arg{xlabel})]}
set ylabel @{[quote($arg{ylabel})]}
set border 3 linecolor rgb '#333333'
set tics nomirror
set grid linecolor rgb '#dddddd'
set key @{[$arg{key} || 'left']} top reverse Left
set bars small
set yrange [$ymin:*]
END

    $text .= "set logscale x\nset format x '%.0s%c'\n" if $arg{logx};
    $text .= "set logscale y\nset format y '%.0s%c'\n" if $arg{logy};
    $text .= "set offsets graph 0.02, graph 0.02, 0, 0\n" if !$arg{logx};

    my (@data, @bars, @lines);

    for my $i (0 .. $#{ $arg{series} }) {
        my ($name, $points, $style) = @{ $arg{series}[$i] };
        my $colour = $colours[$i % @colours];
        my $with = $style && $style eq 'line'
            ? "lines linewidth 1.5 dashtype 2 linecolor rgb '$colour'"
            : 'linespoints linewidth 2 pointtype 7 pointsize 0.5'
              . " linecolor rgb '$colour'";

        push @data, "\$d$i << EOD\n" . join('', map { "@$_\n" } @$points)
                    . "EOD\n";

        # bars are drawn first, as they erase the background

        push @bars, "\$d$i using 1:2:3:4 with yerrorbars linewidth 1"
                     . " pointtype 0 linecolor rgb '$colour' notitle"
            if @{ $points->[0] } > 3;

        push @lines, "\$d$i using 1:2 with $with title " . quote($name);
    }

    # in a file, so that gnuplot's errors have the line number

    my $script = File::Temp->new(SUFFIX => '.gnuplot');

    print $script $text, @data, 'plot ', join(", \\\n     ", @bars, @lines), "\n";
    close $script or die "$script: $!";

    system('gnuplot', "$script") == 0 or die "gnuplot failed\n";
}


sub quote {
    my ($text) = @_;

    $text =~ s/'/''/g;

    return "'$text'";
}


1;
