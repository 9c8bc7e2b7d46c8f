package proposal

import (
	"errors"
	"testing"

	"esplanade/ike/wire"
)

// TestMismatchText: the words that an operator reads.
func TestMismatchText(t *testing.T) {
	ike, esp := wire.ProtocolIKE, wire.ProtocolESP
	for _, tt := range []struct {
		name           string
		protocol       wire.ProtocolID
		ours, theirs   []string
		closestO, from int
		want           string
	}{
		{
			"one thing", ike,
			[]string{"aes256-sha1-ecp384"}, []string{"aes256-sha1-modp1024"}, 0, 0,
			"no common IKE proposal: peer offers aes256-sha1-modp1024; closest to our aes256-sha1-ecp384, " +
				"differs in key exchange (KE): we want ECP_384, peer has MODP_1024",
		},
		{
			"the closest pair of several", ike,
			[]string{"aes256gcm16-prfsha384-ecp384", "aes256-sha256-modp2048"},
			[]string{"aes128-sha1-modp1024", "aes256-sha256-modp1536", "aes128gcm16-prfsha256-modp1024"}, 1, 1,
			"no common IKE proposal: peer offers aes128-sha1-modp1024, aes256-sha256-modp1536, aes128gcm16-prfsha256-modp1024; " +
				"aes256-sha256-modp1536 comes closest to our aes256-sha256-modp2048, " +
				"differs in key exchange (KE): we want MODP_2048, peer has MODP_1536",
		},
		{
			"several things", ike,
			[]string{"aes256gcm16-prfsha384-ecp384"}, []string{"aes128-sha1-modp1024"}, 0, 0,
			"no common IKE proposal: peer offers aes128-sha1-modp1024; closest to our aes256gcm16-prfsha384-ecp384, " +
				"differs in encryption (ENCR): we want AES_GCM_16_256, peer has AES_CBC_128; " +
				"pseudorandom function (PRF): we want PRF_HMAC_SHA2_384, peer has PRF_HMAC_SHA1; " +
				"integrity (INTEG): we want NONE, peer has HMAC_SHA1_96; " +
				"key exchange (KE): we want ECP_384, peer has MODP_1024",
		},
		{
			"PFS", esp,
			[]string{"aes256gcm16-ecp384-x25519"}, []string{"aes256gcm16"}, 0, 0,
			"no common ESP proposal: peer offers aes256gcm16; closest to our aes256gcm16-ecp384-x25519, " +
				"differs in key exchange (KE): we want ECP_384 or CURVE_25519, peer has NONE",
		},
		{
			"nothing offered", esp,
			[]string{"aes256gcm16", "aes128-sha256"}, nil, -1, -1,
			"no common ESP proposal: peer offers nothing; ours: aes256gcm16, aes128-sha256",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Choose(list(t, tt.protocol, tt.ours...), offer(t, tt.protocol, tt.theirs...), Options{})
			var e *MismatchError
			if !errors.As(err, &e) {
				t.Fatalf("%v (%T)", err, err)
			}
			if e.Error() != tt.want {
				t.Errorf("got  %s\nwant %s", e, tt.want)
			}
			if e.Protocol != tt.protocol || e.ClosestOurs != tt.closestO || e.ClosestTheirs != tt.from {
				t.Errorf("%v, closest %d and %d", e.Protocol, e.ClosestOurs, e.ClosestTheirs)
			}
		})
	}
}

// TestMismatchOfProtocol: only AH where ESP is wanted is said so, and an ESP proposal is closer however bad.
func TestMismatchOfProtocol(t *testing.T) {
	ours := list(t, wire.ProtocolESP, "aes256gcm16-ecp384-esn")
	ah := wire.Proposal{Number: 1, Protocol: wire.ProtocolAH, SPI: []byte{1, 2, 3, 4}, Transforms: []wire.Transform{
		tr(tINTEG, wire.AUTH_HMAC_SHA2_256_128), tr(tESN, wire.ESN_NONE),
	}}
	esp := mustESP(t, "aes128-sha1-modp1024").Wire(2, []byte{1, 2, 3, 4})

	_, err := Choose(ours, []wire.Proposal{ah}, Options{})
	const want = "no common ESP proposal: peer offers AH:sha256-noesn; closest to our aes256gcm16-ecp384-esn, " +
		"differs in the protocol: we want ESP, peer has AH"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	_, err = Choose(ours, []wire.Proposal{ah, esp}, Options{})
	var e *MismatchError
	if !errors.As(err, &e) || e.ClosestTheirs != 1 || len(e.Differs) != 4 {
		t.Errorf("%v", err)
	}
}

func TestNoProposalsOfOurs(t *testing.T) {
	_, err := Choose(nil, offer(t, wire.ProtocolIKE, "aes256-sha256-modp2048"), Options{PreferKE: wire.KE_MODP_2048})
	var e *MismatchError
	if !errors.As(err, &e) || e.ClosestOurs != -1 {
		t.Errorf("%v", err)
	}
	if _, err := Verify(nil, nil, Options{}); err == nil {
		t.Error("an answer to no offer is accepted")
	}
}
