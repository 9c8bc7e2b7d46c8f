package export

import (
	"bytes"
	"encoding/json"

	"esplanade/ike/identity"
	"esplanade/ike/policy"
)

// sswan writes a profile of the strongSwan app for Android.
// https://docs.strongswan.org/docs/latest/os/androidVpnClientProfiles.html
func sswan(w *writer) ([]byte, error) {
	type remote struct {
		Addr string `json:"addr"`
		Port int    `json:"port,omitempty"`
		ID   string `json:"id,omitempty"`
		Cert []byte `json:"cert,omitempty"`
	}
	type local struct {
		EAPID string `json:"eap_id,omitempty"`
		ID    string `json:"id,omitempty"`
		P12   []byte `json:"p12,omitempty"`
	}
	type split struct {
		Subnets []string `json:"subnets"`
	}
	x := struct {
		UUID   string `json:"uuid"`
		Name   string `json:"name"`
		Type   string `json:"type"`
		Remote remote `json:"remote"`
		Local  local  `json:"local"`
		IKE    string `json:"ike-proposal,omitempty"`
		ESP    string `json:"esp-proposal,omitempty"`
		Split  *split `json:"split-tunneling,omitempty"`
	}{UUID: w.uuid("profile"), Name: w.title(), Remote: remote{Addr: w.Gateway, ID: swanID(w.GatewayID)}}
	if w.port() != 500 {
		x.Remote.Port = int(w.port())
	}
	kind, err := w.sswanType()
	if err != nil {
		return nil, err
	}
	x.Type = kind
	if err := w.noPPK(); err != nil {
		return nil, err
	}
	if w.eap() && w.eapMethod() != policy.AuthEAPTLS {
		x.Local.EAPID = w.User
	}
	if w.certificate() {
		x.Local.P12 = w.Bundle
		if w.Bundle == nil {
			w.warnf("remote.auth", "the user's bundle was not given: the app asks which of the installed certificates to use")
		}
	}
	if !w.ClientID.Any() && (w.Method == policy.AuthPubkey || w.eapMethod() == policy.AuthEAPTLS) {
		x.Local.ID = swanID(w.ClientID)
	}
	if len(w.CAs) > 0 {
		x.Remote.Cert = w.CAs[0].Raw
		if len(w.CAs) > 1 {
			w.warnf("remote.cacerts", "the app takes one CA from a profile: %s is written", w.CAs[0].Subject)
		}
	}
	w.swanAdditional()
	// One proposal each: what is not written is the app's own.
	if w.conn.Has("proposals") || w.conn.Preset != "" {
		x.IKE = swanProposals(w.conn.Proposals)[0]
	}
	if len(w.Children) > 0 && w.Children[0].conf.Has("esp_proposals") {
		x.ESP = swanProposals(w.Children[0].ESP)[0]
	}
	if !w.full() {
		x.Split = new(split)
		for _, n := range w.routes() {
			x.Split.Subnets = append(x.Split.Subnets, n.String())
		}
	}
	if _, ok := w.take(w.Password); ok {
		w.secret = false
		w.warnf("remote.auth", "the password is left out: a profile of the app has none, and the user is asked for it")
	}
	if !w.Addresses {
		w.warnf("pools", "the client asks for an address, and the connection has none to give")
	}
	if w.OnDemand {
		w.warnf("start_action", "a profile can't have the tunnel come up by itself: Android's setting \"Always-on VPN\" does")
	}
	w.oneChild()
	w.anyNetworks()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(x); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// sswanType is the app's word for what the two prove themselves with.
func (w *writer) sswanType() (string, error) {
	eap := w.eapMethod()
	switch {
	case w.GatewayMethod != policy.AuthPubkey || w.Method == policy.AuthPSK:
		return "", w.cannot("local.auth", "use a certificate for the gateway", "the app has no pre-shared keys")
	case w.Method == policy.AuthPubkey && w.Second == 0:
		return "ikev2-cert", nil
	case w.Method == policy.AuthPubkey && w.Second.EAP() && eap != policy.AuthEAPTLS:
		return "ikev2-cert-eap", nil
	case w.Second != 0:
		return "", w.cannot("remote-", "write the certificate first, and EAP with a password second", "the app has no such second round")
	case eap == policy.AuthEAPTLS:
		return "ikev2-eap-tls", nil
	}
	return "ikev2-eap", nil
}

// swanID is an identity as strongSwan reads it. It takes a distinguished name in its own notation, and so do the others as [identity.Identity.String]
// writes them.
func swanID(id identity.Identity) string { return id.String() }
