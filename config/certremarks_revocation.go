package config

import (
	"slices"

	"esplanade/ike/pki/revocation"
	"esplanade/ike/policy"
)

// unknowable says that a connection refuses peers of whom it isn't known whether their certificates were revoked, and that nothing says where
// to ask. Whether a peer's certificate names an address is seen when it comes; this gateway's own are what the same CA is likely to issue.
func (r *remarks) unknowable(c *Config, n *Connection) {
	accepted := c.Set.Accepted(n.Name, 0)
	if n.Remote.Method != policy.AuthPubkey || n.Remote.Revocation != policy.RevocationStrict || accepted.Trust == nil || len(accepted.Rules.Lists) > 0 ||
		n.OCSP == policy.OCSPRequest || n.OCSP == policy.OCSPBoth ||
		slices.ContainsFunc(accepted.Rules.Authorities, func(a *revocation.Authority) bool { return len(a.CRLURIs)+len(a.OCSPURIs) > 0 }) {
		return
	}
	named := true
	for _, p := range c.Set.Own(n.Name, 0) {
		if len(p.Chain) > 0 {
			named = len(p.Chain[0].CRLDistributionPoints)+len(p.Chain[0].OCSPServer) > 0
			break
		}
	}
	if !named {
		r.add(n.Remote.At("revocation"), "write x509crl = \"FILE\" into [credentials], or crl_uris or ocsp_uris into [authorities.NAME]", "%s.revocation is \"strict\", and nothing here "+
			"says which certificates were revoked; this gateway's own names no address to ask at: a peer whose certificate names none is refused", n.Remote.name)
	}
}
