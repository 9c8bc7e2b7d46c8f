package diag

import (
	"strings"
	"testing"
)

// When all proposals demand extended sequence numbers, that is named first.
func TestRefusedForESN(t *testing.T) {
	for _, c := range []struct {
		proposals []string
		want      string
	}{
		{[]string{"aes256gcm16-esn", "aes128gcm16-ecp256-esn"}, "all of ours demand"}, {[]string{"aes256gcm16-noesn", "aes256gcm16"}, "configure one"},
		{[]string{"aes256gcm16-esn-noesn"}, "configure one"}, {[]string{"aes256gcm16-esn", "aes256gcm16"}, "configure one"}, {nil, "configure one"},
	} {
		f := Refused(testWhere("IKE_AUTH"), notification("NO_PROPOSAL_CHOSEN"), Offer{Proposals: c.proposals})
		if f.Code != CodeProposalChild || !strings.HasPrefix(f.Advice(), c.want) {
			t.Errorf("%v: %v", c.proposals, f)
		}
	}
}

// In CREATE_CHILD_SA the group is the likely reason, and is named before all else.
func TestRefusedForPFS(t *testing.T) {
	for _, c := range []struct {
		exchange, proposal, begins string
		esn                        bool
	}{
		{"CREATE_CHILD_SA", "aes256gcm16-modp2048", "look at PFS first: ours have the key exchange group modp2048, ", false},
		{"CREATE_CHILD_SA", "aes256gcm16-x25519-ecp384-ke1_mlkem768-esn", "look at PFS first: ours have the key exchange group x25519, ecp384, ", true},
		{"CREATE_CHILD_SA", "aes256gcm16", "look at PFS first: none of ours has a key exchange group", false},
		{"IKE_AUTH", "aes256gcm16-modp2048", "configure one of ours", false},
	} {
		f := Refused(testWhere(c.exchange), notification("NO_PROPOSAL_CHOSEN"), Offer{Proposals: []string{c.proposal}})
		if !strings.HasPrefix(f.Advice(), c.begins) || strings.Contains(f.Advice(), "esn") != c.esn || !strings.Contains(f.Advice(), "onfigure one of ours at the peer") {
			t.Errorf("%+v: %s", c, f.Advice())
		}
	}
}
