package auth

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"testing"

	"crypto/ecdsa"
	"crypto/ed25519"

	"esplanade/ike/credential"
	"esplanade/ike/pki/pkitest"
)

// Neither a pair nor a request to sign shows the private key, however it is printed.
func TestSignersMustNotLeak(t *testing.T) {
	for _, k := range []pkitest.Kind{pkitest.P256, pkitest.Ed25519} {
		key := pkitest.Key(t, k)
		var private []byte
		switch key := key.(type) {
		case *ecdsa.PrivateKey:
			private, _ = key.Bytes()
		case ed25519.PrivateKey:
			private = key.Seed()
		}
		n := new(big.Int).SetBytes(private)
		spellings := []string{fmt.Sprintf("%x", private), fmt.Sprintf("%X", private), n.String(), fmt.Sprint(private), fmt.Sprintf("%d", private[:8])}
		sign := Sign{Signer: key, Key: key.Public(), Octets: []byte("octets")}
		pair := credential.Pair{Signer: key, Key: key.Public(), Name: "gw"}
		for _, v := range []any{sign, &sign, pair, &pair, []credential.Pair{pair}, map[string]any{"w": sign}, struct{ P credential.Pair }{pair}} {
			var out bytes.Buffer
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q"} {
				fmt.Fprintf(&out, verb, v)
			}
			slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", v)
			slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v)
			if b, err := json.Marshal(v); err == nil {
				out.Write(b)
			}
			for _, s := range spellings {
				if strings.Contains(out.String(), strings.Trim(s, "[]")) {
					t.Errorf("%s: %T shows its key", k, v)
				}
			}
		}
	}
}
