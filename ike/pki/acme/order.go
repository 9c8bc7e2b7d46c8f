package acme

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"golang.org/x/crypto/acme"

	"esplanade/ike/pki/ca"
)

// The times of HTTP towards the server.
const (
	requestTime = 30 * time.Second
	// maxNonceRetries is how often a request is sent again at once because its nonce was refused (RFC 8555, "Replay Protection").
	maxNonceRetries = 5
	nonceRetryPause = 100 * time.Millisecond
)

func newHTTPClient(roots *x509.CertPool) *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = newClientTLS(roots)
	return &http.Client{Transport: t, Timeout: requestTime}
}

// retry is how requests are repeated: those whose nonce was refused, at once and a few times. Everything else is an attempt that has
// failed, whose next one waits.
func retry(n int, _ *http.Request, res *http.Response) time.Duration {
	if res.StatusCode == http.StatusBadRequest && n <= maxNonceRetries {
		return nonceRetryPause
	}
	return 0
}

// order gets a certificate: account, order, challenges, and the certificate.
func (m *Manager) order(ctx context.Context) (*pair, error) {
	account, err := m.store.account()
	if err != nil {
		return nil, err
	}
	client := &acme.Client{Key: account, HTTPClient: m.client, DirectoryURL: m.o.Directory, RetryBackoff: retry, UserAgent: m.o.UserAgent}
	if err := m.register(ctx, client); err != nil {
		return nil, err
	}
	var options []acme.OrderOption
	if m.o.Profile != "" {
		options = append(options, acme.WithOrderIssuanceProfile(acme.ProfileName(m.o.Profile)))
	}
	o, err := client.AuthorizeOrder(ctx, identifiers(m.o.Domains), options...)
	if err != nil {
		return nil, fmt.Errorf("the order: %w", err)
	}
	if err := m.authorize(ctx, client, o); err != nil {
		return nil, err
	}
	ready, err := client.WaitOrder(ctx, o.URI)
	if err != nil {
		return nil, fmt.Errorf("the order: %w", err)
	}
	ready.URI = o.URI // a server need not say it again, and it is needed where the certificate takes a while
	key, err := m.certificateKey()
	if err != nil {
		return nil, err
	}
	csr, err := request(m.o.Domains, key)
	if err != nil {
		return nil, err
	}
	chain, _, err := client.CreateCertFromOrder(ctx, ready, csr, true)
	if err != nil {
		return nil, fmt.Errorf("the certificate: %w", err)
	}
	return accept(chain, key, m.o.Domains)
}

// register finds the account of the key, or makes it. The operator has agreed to the terms in the configuration.
func (m *Manager) register(ctx context.Context, client *acme.Client) error {
	_, err := client.GetReg(ctx, "")
	if !errors.Is(err, acme.ErrNoAccount) {
		if err != nil {
			return fmt.Errorf("the account: %w", err)
		}
		return nil
	}
	a := &acme.Account{}
	if m.o.Email != "" {
		a.Contact = []string{"mailto:" + m.o.Email}
	}
	if m.o.KeyID != "" {
		a.ExternalAccountBinding = &acme.ExternalAccountBinding{KID: m.o.KeyID, Key: m.o.HMACKey}
	}
	if _, err := client.Register(ctx, a, acme.AcceptTOS); err != nil && !errors.Is(err, acme.ErrAccountAlreadyExists) {
		return fmt.Errorf("the account: %w", err)
	}
	m.log.Info("an account at the ACME server", "directory", m.o.Directory)
	return nil
}

// identifiers are the names as an order has them.
func identifiers(names []string) (out []acme.AuthzID) {
	for _, n := range names {
		if _, err := netip.ParseAddr(n); err == nil {
			out = append(out, acme.IPIDs(n)...)
		} else {
			out = append(out, acme.DomainIDs(n)...)
		}
	}
	return out
}

// certificateKey is the key of the next certificate: a new one, or that of the last.
func (m *Manager) certificateKey() (crypto.Signer, error) {
	if m.o.ReuseKey {
		p, err := m.store.pair(m.state.File)
		if err != nil {
			return nil, err
		}
		if p != nil && p.kind() == m.o.Kind {
			return p.key, nil
		}
	}
	return ca.GenerateKey(m.o.Kind)
}

// request is the request for a certificate (RFC 2986).
func request(names []string, key crypto.Signer) ([]byte, error) {
	t := &x509.CertificateRequest{}
	for _, n := range names {
		if a, err := netip.ParseAddr(n); err == nil {
			t.IPAddresses = append(t.IPAddresses, a.AsSlice())
		} else {
			t.DNSNames = append(t.DNSNames, n)
		}
	}
	return x509.CreateCertificateRequest(rand.Reader, t, key)
}

// accept holds what the server has sent to what was asked for.
func accept(chain [][]byte, key crypto.Signer, names []string) (*pair, error) {
	if len(chain) == 0 {
		return nil, errors.New("the server has sent no certificate")
	}
	leaf, err := x509.ParseCertificate(chain[0])
	if err != nil {
		return nil, fmt.Errorf("the server has sent a certificate that cannot be read: %w", err)
	}
	if !ca.Fits(leaf, key) {
		return nil, errors.New("the server has sent a certificate for another key")
	}
	if !covers(leaf, names) {
		return nil, errors.New("the server has sent a certificate for other names")
	}
	return &pair{key: key, leaf: leaf, chain: chain}, nil
}

// DecodeHMAC reads a key of an external account binding, which servers give out as Base64 with the alphabet for URLs.
func DecodeHMAC(text string) ([]byte, error) {
	for _, e := range []*base64.Encoding{base64.RawURLEncoding, base64.URLEncoding, base64.StdEncoding} {
		if key, err := e.DecodeString(text); err == nil && len(key) > 0 {
			return key, nil
		}
	}
	return nil, errors.New("it is not Base64; write it as the operator of the server has given it out")
}
