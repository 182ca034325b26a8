# mail-parse.pl FILE: subject and text parts of a mail as JSON, by Perl's own MIME parser.
use strict;
use warnings;
use Encode qw(decode);
use JSON::PP;
use MIME::Parser;

my $parser = MIME::Parser->new;
$parser->output_to_core(1);
$parser->tmp_to_core(1);
$parser->ignore_errors(0);
my $mail = $parser->parse_open($ARGV[0]);
my $subject = $mail->head->get('Subject') // '';
chomp $subject;
my @parts;

sub collect {
        my ($entity) = @_;
        if ($entity->parts) {
                collect($_) for $entity->parts;
        } elsif ($entity->mime_type =~ m{^text/(plain|html)$}) {
                push @parts, decode('UTF-8', $entity->bodyhandle->as_string, Encode::FB_CROAK);
        }
}
collect($mail);
$subject =~ s/\r?\n(?=[ \t])//g;
print JSON::PP->new->ascii->encode({ subject => decode('MIME-Header', $subject), parts => \@parts });
