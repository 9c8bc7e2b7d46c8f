package eap

import (
	"crypto/tls"
	"crypto/x509"
	"time"

	"esplanade/ike/eap/tunnel"
)

// Shown is what the other side of a TLS handshake has shown of itself.
type Shown struct {
	// Identity is the name that a client has given before the method, which nobody has proved; "" if it has given none. It is "" for a server.
	Identity string
	// Chain are certificates as DER, the peer's own first. It is proved that the peer has the key to it before the conversation succeeds.
	Chain [][]byte
}

// Verdict is whom a judge takes the other side for.
type Verdict struct {
	// Name is who the user is, whatever name was given: the identity that was given if the certificate is for that, and else, if the judge lets it
	// in at all, a name that is in the certificate. Windows gives names that are in none: "host/laptop.example.org".
	Name string
	// Foreign is what vouches for that name where it is none of the users of this server, even if one of them has it; "" where it may be one.
	Foreign string
	// Chain leads from the certificate to what is trusted. It goes into [Result.Chain], for whoever asks whether one of it was revoked.
	Chain []*x509.Certificate
}

// Judge decides whether a certificate is accepted, and for whom: which CAs, which names, which uses. An error refuses it. It is called in the
// middle of a Step, by several goroutines at once, and must not wait for the network.
type Judge func(now time.Time, s Shown) (Verdict, error)

// TLSServer is what a server of EAP-TLS, EAP-TTLS and EAP-PEAP has. It is not changed while anybody uses it.
type TLSServer struct {
	// Certificate is the server's, with its chain and its key.
	Certificate *tls.Certificate
	// Judge decides about the certificates of clients of EAP-TLS.
	Judge Judge
	// CAs are whose names EAP-TLS tells a client to choose its certificate by; nil: none.
	CAs *x509.CertPool
	// MaxVersion is the latest version of TLS; 0: 1.3. The earliest is 1.2.
	MaxVersion uint16
	// Fragment is how many bytes of TLS go into a packet; 0: [tunnel.DefaultFragment].
	Fragment int
	// CryptoBinding says whether PEAP binds the inner method to the tunnel.
	CryptoBinding CryptoBinding
}

// TLSClient is what a client of EAP-TLS, EAP-TTLS and EAP-PEAP has. It is not changed while anybody uses it.
type TLSClient struct {
	// Certificate is the user's, with its chain and its key, for EAP-TLS; nil: there is none.
	Certificate *tls.Certificate
	// Judge decides about the server's certificate: whether it is for the server that is meant.
	Judge Judge
	// MaxVersion and Fragment are as in [TLSServer].
	MaxVersion uint16
	Fragment   int
	// Plain is what a client of TTLS says within the tunnel, if it is none of EAP.
	Plain Plain
	// CryptoBinding says whether PEAP has to bind the inner method to the tunnel. A server that asks for it is answered in any case but
	// [BindingOff].
	CryptoBinding CryptoBinding
}

// Plain is a way to authenticate within TTLS that is none of EAP.
type Plain uint8

const (
	// PlainNone is EAP within TTLS.
	PlainNone Plain = iota
	// PlainPAP shows the password, within the tunnel.
	PlainPAP
	// PlainMSCHAPv2 proves it.
	PlainMSCHAPv2
)

// CryptoBinding says whether the two ends of a PEAP tunnel prove that they are those of the inner method as well.
type CryptoBinding uint8

const (
	// BindingOptional: a server does not ask for it, a client answers a server that does.
	BindingOptional CryptoBinding = iota
	// BindingOff: nobody does.
	BindingOff
	// BindingRequired: it fails without.
	BindingRequired
)

// tunnelConfig is what the server has of TLS. ask has it ask for a certificate.
func (c *TLSServer) tunnelConfig(ask bool) *tunnel.Config {
	t := &tunnel.Config{Certificate: c.Certificate, Ask: ask, MaxVersion: c.MaxVersion}
	if ask {
		t.CAs = c.CAs
	}
	return t
}
