package gateway

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/peertest"
	"esplanade/ike/pki/pkitest"
	"esplanade/ike/wire"
)

// TestKnownGateways plays each of the known gateways with its preset, in both roles: what is chosen, at once where this side asks, and
// what is chosen when the other side renews the CHILD SA with everything that it has, in its way.
func TestKnownGateways(t *testing.T) {
	for _, x := range []struct{ name, ike, esp, renewed string }{
		{peertest.AWS, "aes256-sha384-ecp384", "aes256gcm16", "aes256gcm16-ecp384"},
		{peertest.AzureCustom, "aes256-sha384-ecp384", "aes256gcm16", "aes256gcm16-ecp384"},
		{peertest.GCP, "aes256gcm16-prfsha384-ecp384", "aes256gcm16", "aes256gcm16-ecp384"},
		{peertest.FortiGate, "aes256-sha256-modp2048", "aes256-sha256", "aes256gcm16-modp2048"},
		{peertest.CiscoIOS, "aes256-sha512-ecp256", "aes256gcm16", "aes256gcm16-ecp256"},
		{peertest.CiscoASA, "aes256gcm16-prfsha384-ecp384", "aes256gcm16", "aes256gcm16-ecp384"},
		{peertest.MikroTik, "aes256-sha256-modp2048", "aes256gcm16", "aes256gcm16-modp2048"},
		{peertest.PfSense, "aes256-sha256-modp2048", "aes256-sha256", "aes256-sha256-modp2048"},
	} {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := meet(t, x.name, "start", "")
				if !p.answers() {
					t.Fatal("nothing of the offer is taken")
				}
				p.up()
				if p.ike != x.ike || p.esp != x.esp {
					t.Errorf("as responder it takes %s and %s, want %s and %s", p.ike, p.esp, x.ike, x.esp)
				}
				p.rekeys()
				p.up()
				if p.esp != x.renewed {
					t.Errorf("what it renews has %s, want %s", p.esp, x.renewed)
				}
			})
			synctest.Test(t, func(t *testing.T) {
				p := meet(t, x.name, "none", "")
				if n := p.calls(); n != 0 {
					t.Fatalf("it is refused with %s\n%s", n, p.n.log)
				}
				p.up()
				p.rekeys()
				p.up()
				p.quiet()
				if f := p.n.last("known"); f != nil {
					t.Errorf("a failure: %v", f)
				}
				t.Logf("as initiator: %s, %s", p.ike, p.esp)
			})
		})
	}
}

// TestCloudsChooseByTheirOwnList is why presets of clouds have one combination: with a choice, AWS takes the worst, and Google another one when
// it renews the keys.
func TestCloudsChooseByTheirOwnList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := meet(t, peertest.AWS, "start", `proposals = "aes256-aes128-sha384-sha1-modp1024-ecp384"`)
		if !p.answers() || p.ike != "aes128-sha1-modp1024" {
			t.Errorf("AWS takes %s", p.ike)
		}
		p.up()
	})
	choice := `esp_proposals = "aes256gcm16-aes128gcm16-ecp384-modp2048"`
	for more, want := range map[string][2]string{choice: {"aes128gcm16", "aes256gcm16-modp2048"}, "": {"aes256gcm16", "aes256gcm16-ecp384"}} {
		synctest.Test(t, func(t *testing.T) {
			p := meet(t, peertest.GCP, "start", more)
			p.answers()
			p.up()
			first := p.esp
			p.rekeys()
			if got := [2]string{first, p.esp}; got != want {
				t.Errorf("with %q it is %v, want %v", more, got, want)
			}
			p.up()
		})
	}
}

// TestKnownRefusals: what has no good algorithm by default is refused, in both roles, and the failure says what differs.
func TestKnownRefusals(t *testing.T) {
	for name, words := range map[string][]string{
		peertest.AzureDefault: {"modp1024", "ecp384"}, peertest.MikroTikOld: {"sha1"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := meet(t, name, "none", "")
				if n := p.calls(); n != wire.NotifyNoProposalChosen {
					t.Fatalf("the answer is %s", n)
				}
				settle(time.Second)
				wantTold(t, p.n, diag.CodeProposalIKE, words)
				if p.n.ikeSAs() != 0 {
					t.Errorf("%d IKE SAs", p.n.ikeSAs())
				}
			})
			synctest.Test(t, func(t *testing.T) {
				p := meet(t, name, "start", "")
				if p.answers() {
					t.Fatalf("it takes %s", p.ike)
				}
				settle(time.Second)
				if f := p.n.last("known"); f == nil || f.Failure.Code != diag.CodeInitRefused || !strings.Contains(f.Failure.Error(), "NO_PROPOSAL_CHOSEN") {
					t.Errorf("the failure is %v", f)
				}
			})
		})
	}
}

// wantTold checks that the log has a failure, with all of the words.
func wantTold(t *testing.T, n *node, code diag.Code, words []string) {
	t.Helper()
	log := n.log.String()
	for _, w := range append(words, string(code)) {
		if !strings.Contains(log, w) {
			t.Errorf("the log does not have %q:\n%s", w, log)
		}
	}
}

// TestFortiGateSendsItsRoot: the certificates of a FortiGate are its whole chain, with the root at the end, and the list of hashes that it
// takes comes with IKE_SA_INIT. This side proves itself with a key.
func TestFortiGateSendsItsRoot(t *testing.T) {
	now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // when a bubble begins
	root := pkitest.CA(t, now, "Fortinet Root", pkitest.RSA2048)
	below := root.Intermediate(t, now, "Fortinet Sub", pkitest.RSA2048)
	end := below.End(t, now, "fgt.example", pkitest.RSA2048)
	file := filepath.Join(t.TempDir(), "root.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Cert.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	// The AlgorithmIdentifier of sha256WithRSAEncryption: https://www.rfc-editor.org/rfc/rfc7427#appendix-A.1.2
	identifier := []byte{0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00}
	for _, start := range []string{"none", "start"} {
		synctest.Test(t, func(t *testing.T) {
			p := meet(t, peertest.FortiGate, start, `local = {auth = "psk", id = "`+addrA+`"}`+"\n"+`remote = {auth = "pubkey", id = "fgt.example", cacerts = "`+file+`"}`)
			p.Identity = &wire.ID{IDType: wire.IDFQDN, Data: []byte("fgt.example")}
			p.known.Init = append(p.known.Init, &wire.Notify{NotifyType: wire.NotifySignatureHashAlgorithms, Data: []byte{0, 2, 0, 3}})
			p.proof = func() []wire.Payload {
				proof := p.Sign(wire.AuthDigitalSignature, func(octets []byte) []byte {
					digest := sha256.Sum256(octets)
					sig, err := end.Key.Sign(rand.Reader, digest[:], crypto.SHA256)
					if err != nil {
						t.Fatal(err)
					}
					return slices.Concat([]byte{byte(len(identifier))}, identifier, sig)
				})
				certs := []wire.Payload{proof[0]}
				for _, c := range []*x509.Certificate{end.Cert, below.Cert, root.Cert} {
					certs = append(certs, &wire.Cert{Encoding: wire.CertX509Signature, Data: c.Raw})
				}
				return append(certs, proof[1:]...)
			}
			if start == "start" {
				p.answers()
			} else if n := p.calls(); n != 0 {
				t.Fatalf("it is refused with %s\n%s", n, p.n.log)
			}
			p.up()
			p.rekeys()
			p.up()
		})
	}
}
