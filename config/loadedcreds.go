package config

import (
	"crypto"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"esplanade/ike/identity"
	"esplanade/ike/pki"
	"esplanade/ike/pki/files"
)

// Shared is a secret of load-shared: octets, and for whom they are.
type Shared struct {
	// ID is the name it can be unloaded by; "" for one that goes away with all others only.
	ID string
	At Position
	// Kind is ike, eap, ntlm, ppk or xauth; small and capital letters are the same.
	Kind string
	// Data are the octets themselves: of an NT hash its 16, and nothing in the forms 0x or 0s.
	Data Secret
	// Owners are the identities that share it; none, or "%any", is everybody.
	Owners []string

	// ids are Owners of a pre-shared key.
	ids []identity.Identity
}

func (s *Shared) id() string {
	if s.ID != "" {
		return s.ID
	}
	// The same one twice is one.
	h := sha256.New()
	fmt.Fprintf(h, "%q %q ", s.Kind, s.Owners)
	h.Write(s.Data.Bytes())
	return unnamed + string(h.Sum(nil))
}

// unnamed begins what stands for the ID of a secret that has none. No ID begins like that.
const unnamed = "\x00"

func (s *Shared) same(o *Shared) bool {
	return s.At == o.At && s.Kind == o.Kind && slices.Equal(s.Owners, o.Owners) && slices.Equal(s.Data.Bytes(), o.Data.Bytes())
}

// The kinds of shared secrets.
const (
	ikeKind   = "ike"
	ppkKind   = "ppk"
	xauthKind = "xauth"
)

// ntHashLen is the length of an NT hash, in bytes.
const ntHashLen = 16

// maxOwners bounds the owners of a secret.
const maxOwners = 1024

// WithShared is l with a secret, which takes the place of the one that has its ID. No error shows any of it.
func (l *Loaded) WithShared(s Shared) (*Loaded, error) {
	s.Kind = strings.ToLower(s.Kind)
	if err := s.check(); err != nil {
		return l, err
	}
	return put(l, func(o *Loaded) *roll[*Shared] { return &o.shared }, &s, maxLoadedShared, "secrets")
}

// check looks at what can be said of a secret alone, and reads its owners.
func (s *Shared) check() error {
	switch {
	case strings.HasPrefix(s.ID, unnamed) || len(s.ID) > maxLoadedName:
		return fmt.Errorf("a secret has the id %s; write at most %d bytes, and none that is zero at the beginning", quote(s.ID), maxLoadedName)
	case s.Kind == xauthKind:
		return errors.New("secrets of XAuth belong to IKEv1, which is not supported; write eap for users of IKEv2")
	case !slices.Contains([]string{ikeKind, eapKind, ntlmKind, ppkKind}, s.Kind):
		return fmt.Errorf("%s is no kind of secret; write ike, eap, ntlm or ppk", quote(s.Kind))
	case s.Data.Len() == 0:
		return fmt.Errorf("the %s secret %s is empty", s.Kind, quote(s.ID))
	case s.Data.Len() > maxSecret:
		return fmt.Errorf("the %s secret %s has %d bytes; %d is the most", s.Kind, quote(s.ID), s.Data.Len(), maxSecret)
	case s.Kind == ntlmKind && s.Data.Len() != ntHashLen:
		return fmt.Errorf("the NT hash %s has %d bytes; it must have %d", quote(s.ID), s.Data.Len(), ntHashLen)
	case len(s.Owners) > maxOwners:
		return fmt.Errorf("the %s secret %s has %d owners; %d is the most", s.Kind, quote(s.ID), len(s.Owners), maxOwners)
	}
	s.Owners = slices.Clone(s.Owners)
	for _, owner := range s.Owners {
		if s.Kind == ikeKind {
			id, err := identity.Parse(owner)
			if err != nil {
				return fmt.Errorf("the %s secret %s: %w", s.Kind, quote(s.ID), err)
			}
			s.ids = append(s.ids, id)
		}
	}
	return nil
}

// maxLoadedName bounds the names of what is loaded, in bytes.
const maxLoadedName = 512

// WithoutShared: see [Loaded.WithoutConnection].
func (l *Loaded) WithoutShared(id string) (out *Loaded, ok bool) {
	return drop(l, func(o *Loaded) *roll[*Shared] { return &o.shared }, id)
}

// SharedIDs are those of the secrets that were loaded with one, in the order of loading.
func (l *Loaded) SharedIDs() []string {
	return slices.DeleteFunc(l.value().shared.ids(), func(id string) bool { return strings.HasPrefix(id, unnamed) })
}

// loadedKey is a private key.
type loadedKey struct {
	keyID  string
	at     Position
	signer crypto.Signer
	public crypto.PublicKey
}

func (k *loadedKey) id() string { return k.keyID }

func (k *loadedKey) same(o *loadedKey) bool { return k.at == o.at }

// WithKey is l with a private key: PEM or DER, PKCS #1, SEC 1 or PKCS #8. passphrase is nil for one that is not encrypted. id is what it can be
// unloaded by: see [KeyID].
func (l *Loaded) WithKey(data, passphrase []byte, at Position) (out *Loaded, id string, err error) {
	signer, err := files.PrivateKey(data, passphrase)
	if err != nil {
		return l, "", err
	}
	return l.withSigner(signer, at)
}

func (l *Loaded) withSigner(signer crypto.Signer, at Position) (out *Loaded, id string, err error) {
	id, err = KeyID(signer.Public())
	if err != nil {
		return l, "", err
	}
	k := &loadedKey{keyID: id, at: at, signer: signer, public: signer.Public()}
	out, err = put(l, func(o *Loaded) *roll[*loadedKey] { return &o.keys }, k, maxLoadedKeys, "private keys")
	return out, id, err
}

// KeyID is what strongSwan calls a key by: the SHA-1 hash of the bits of its subjectPublicKey, in hexadecimal digits.
func KeyID(public crypto.PublicKey) (string, error) {
	spki, err := pki.MarshalPublicKey(public)
	if err != nil {
		return "", err
	}
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(spki, &info); err != nil {
		return "", err
	}
	sum := sha1.Sum(info.Key.Bytes)
	return hex.EncodeToString(sum[:]), nil
}

// WithoutKey: see [Loaded.WithoutConnection].
func (l *Loaded) WithoutKey(id string) (out *Loaded, ok bool) {
	return drop(l, func(o *Loaded) *roll[*loadedKey] { return &o.keys }, strings.ToLower(id))
}

// KeyIDs are those of the private keys that were loaded, in the order of loading.
func (l *Loaded) KeyIDs() []string { return l.value().keys.ids() }

// CertificateFlag says what a certificate is for.
type CertificateFlag string

// The flags of load-cert. None is a certificate of this gateway, or of a peer that is known by it.
const (
	FlagNone CertificateFlag = "NONE"
	FlagCA   CertificateFlag = "CA"
	FlagAA   CertificateFlag = "AA"
	FlagOCSP CertificateFlag = "OCSP"
)

// The types of load-cert.
const (
	TypeX509    = "X509"
	TypeX509CRL = "X509_CRL"
	TypeX509AC  = "X509_AC"
	TypePubkey  = "PUBKEY"
)

// Certificate is what load-cert brings: a certificate or a revocation list, in PEM or DER.
type Certificate struct {
	// Type is TypeX509, TypeX509CRL or TypePubkey, which is a public key without a certificate; small and capital letters are the same.
	Type string
	Flag CertificateFlag
	Data []byte
	At   Position

	sum string
}

func (c *Certificate) id() string { return c.sum }

func (c *Certificate) same(o *Certificate) bool { return c.At == o.At }

// WithCertificate is l with a certificate or a revocation list. One that is there already makes no difference.
func (l *Loaded) WithCertificate(c Certificate) (*Loaded, error) {
	c.Type, c.Flag = strings.ToUpper(c.Type), CertificateFlag(strings.ToUpper(string(c.Flag)))
	if c.Flag == "" {
		c.Flag = FlagNone
	}
	var err error
	switch c.Type {
	case TypeX509:
		if !slices.Contains([]CertificateFlag{FlagNone, FlagCA, FlagAA, FlagOCSP}, c.Flag) {
			return l, fmt.Errorf("%s is no flag of a certificate; write NONE, CA, AA or OCSP", quote(string(c.Flag)))
		}
		_, err = files.Certificates(c.Data)
	case TypeX509CRL:
		c.Flag = FlagNone
		_, err = files.CRLs(c.Data)
	case TypePubkey:
		c.Flag = FlagNone
		_, err = files.PublicKeys(c.Data)
	case TypeX509AC:
		return l, errors.New("attribute certificates are not supported by this version")
	default:
		return l, fmt.Errorf("%s is no type of a certificate; write X509, X509_CRL or PUBKEY", quote(c.Type))
	}
	if err != nil {
		return l, err
	}
	c.Data = slices.Clone(c.Data)
	sum := sha256.Sum256(c.Data)
	c.sum = string(c.Flag) + " " + c.Type + " " + string(sum[:])
	return put(l, func(o *Loaded) *roll[*Certificate] { return &o.certs }, &c, maxLoadedCertificates, "certificates")
}

// WithBundle is l with the key and the certificates of a PKCS #12 bundle.
func (l *Loaded) WithBundle(data, passphrase []byte, at Position) (*Loaded, error) {
	b, err := files.PKCS12(data, passphrase)
	if err != nil {
		return l, err
	}
	out, _, err := l.withSigner(b.Key, at)
	if err != nil {
		return l, err
	}
	for _, c := range b.Certs {
		flag := FlagNone
		if c.IsCA {
			flag = FlagCA
		}
		if out, err = out.WithCertificate(Certificate{Type: TypeX509, Flag: flag, Data: c.Raw, At: at}); err != nil {
			return l, err
		}
	}
	return out, nil
}

// WithoutCredentials is l without secrets, keys, certificates and revocation lists, as clear-creds wants it.
func (l *Loaded) WithoutCredentials() *Loaded {
	out := *l.value()
	out.shared, out.keys, out.certs = roll[*Shared]{}, roll[*loadedKey]{}, roll[*Certificate]{}
	return &out
}
