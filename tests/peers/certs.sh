#!/bin/sh
# certs.sh OUT: a test authority (ca.pem) and certificates for localhost: good, expired, wrong-host, and untrusted (by
# another authority). Each as NAME.pem and NAME.key.
set -eu
out=$1
mkdir -p "$out"
cd "$out"
umask 077

authority() { # NAME
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 10950 -subj "/CN=test authority $1" \
                -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign \
                -keyout "$1.key" -out "$1.pem" 2>/dev/null
        : > "$1.db"
        echo 01 > "$1.srl"
        printf '[ca]\ndefault_ca=d\n[d]\ndatabase=%s.db\nserial=%s.srl\nnew_certs_dir=.\ndefault_md=sha256\n' "$1" "$1" > "$1.cnf"
        printf 'policy=p\ncopy_extensions=copy\nunique_subject=no\n[p]\ncommonName=supplied\n' >> "$1.cnf"
}

certificate() { # NAME AUTHORITY SUBJECT-ALT-NAME BEGIN END
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" -addext "subjectAltName=$3" \
                -keyout "$1.key" -out "$1.csr" 2>/dev/null
        openssl ca -batch -notext -config "$2.cnf" -cert "$2.pem" -keyfile "$2.key" -startdate "$4" -enddate "$5" \
                -in "$1.csr" -out "$1.pem" 2>/dev/null
        rm -f "$1.csr"
}

authority ca
authority other
local=DNS:localhost,IP:127.0.0.1
certificate good ca "$local" 20200101000000Z 20491231000000Z
certificate expired ca "$local" 20200101000000Z 20210101000000Z
certificate wrong-host ca DNS:other.example 20200101000000Z 20491231000000Z
certificate untrusted other "$local" 20200101000000Z 20491231000000Z
