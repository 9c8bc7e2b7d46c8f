package proposal

import (
	"slices"
	"testing"

	"esplanade/ike/wire"
)

// TestDefault holds the defaults to the tables of RFC 8247 and RFC 8221.
func TestDefault(t *testing.T) {
	for _, protocol := range []wire.ProtocolID{wire.ProtocolIKE, wire.ProtocolESP} {
		ps := Default(protocol)
		if len(ps) == 0 || !ps[0].aead() {
			t.Fatalf("%v: AEADs do not come first: %v", protocol, ps)
		}
		var all []wire.Transform
		for _, p := range ps {
			checkComplete(t, p)
			all = append(all, p.Transforms...)
		}
		has := func(x wire.Transform) bool { return slices.Contains(all, x) }

		// MUST and SHOULD of https://www.rfc-editor.org/rfc/rfc8247#section-2 and
		// https://www.rfc-editor.org/rfc/rfc8221#section-5.
		must := []wire.Transform{
			tr(tENCR, wire.ENCR_AES_CBC, 128), tr(tENCR, wire.ENCR_AES_CBC, 256),
			tr(tENCR, wire.ENCR_AES_GCM_16, 128), tr(tENCR, wire.ENCR_AES_GCM_16, 256),
			tr(tENCR, wire.ENCR_CHACHA20_POLY1305),
			tr(tINTEG, wire.AUTH_HMAC_SHA2_256_128), tr(tINTEG, wire.AUTH_HMAC_SHA2_512_256),
			tr(tKE, wire.KE_MODP_2048), tr(tKE, wire.KE_ECP_256),
		}
		if protocol == wire.ProtocolIKE {
			must = append(must, tr(tPRF, wire.PRF_HMAC_SHA2_256), tr(tPRF, wire.PRF_HMAC_SHA2_512))
		} else {
			must = append(must, tr(tESN, wire.ESN_ESN), tr(tESN, wire.ESN_NONE), tr(tKE, wire.KE_NONE))
		}
		for _, m := range must {
			if !has(m) {
				t.Errorf("%v: %v is not offered", protocol, m)
			}
		}

		// SHOULD NOT, MUST NOT, and what is only for peers of long ago.
		for _, never := range []wire.Transform{
			tr(tENCR, wire.ENCR_NULL), tr(tENCR, wire.ENCR_3DES), tr(tENCR, wire.ENCR_CHACHA20_POLY1305, 256),
			tr(tINTEG, wire.AUTH_HMAC_SHA1_96), tr(tINTEG, wire.AUTH_HMAC_MD5_96), tr(tPRF, wire.PRF_HMAC_SHA1),
			tr(tKE, wire.KE_MODP_1024), tr(tKE, wire.KE_MODP_1536),
		} {
			if has(never) {
				t.Errorf("%v: %v is offered", protocol, never)
			}
		}
	}
	if Default(wire.ProtocolAH) != nil {
		t.Error("AH has defaults")
	}
}
