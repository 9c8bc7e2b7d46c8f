package radius

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/subtle"
	"errors"
)

// What is wrong with who a packet says it is from.
var (
	// ErrAuthenticator is a packet of somebody with another secret, or one that was changed on its way.
	ErrAuthenticator = errors.New("the authenticator is wrong: the secret is another one")
	// ErrMessageAuthenticator is the same of the attribute of that name.
	ErrMessageAuthenticator = errors.New("the Message-Authenticator is wrong: the secret is another one")
	// ErrNoMessageAuthenticator is an answer to an Access-Request that anybody between could have forged.
	ErrNoMessageAuthenticator = errors.New("there is no Message-Authenticator")
)

// Secret is what a server and this gateway share. It prints nothing of itself.
type Secret struct {
	redacted
	octets string
}

// NewSecret makes one.
func NewSecret(octets []byte) Secret { return Secret{octets: string(octets)} }

// Len is how many octets it has.
func (s Secret) Len() int { return len(s.octets) }

// Same reports whether two secrets are the same.
func (s Secret) Same(o Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.octets), []byte(o.octets)) == 1
}

// sealAccess makes an Access-Request of a packet whose authenticator is random. The Message-Authenticator comes first: what stands before
// it is what an attacker of MD5 works with.
func (p *Packet) sealAccess(s Secret) ([]byte, error) {
	b, err := p.withZeros()
	if err != nil {
		return nil, err
	}
	copy(b[headerLen+2:], s.hmac(b))
	return b, nil
}

// sealHashed makes an Accounting-Request, whose authenticator is a hash (RFC 2866 section 3).
func (p *Packet) sealHashed(s Secret) ([]byte, error) {
	p.Authenticator = [16]byte{}
	b, err := p.append(nil)
	if err != nil {
		return nil, err
	}
	copy(b[4:headerLen], s.md5(b))
	return b, nil
}

// sealAnswer makes an answer to a request with an authenticator.
//
// "The Message-Authenticator is calculated and inserted in the packet before the Response Authenticator is calculated." (RFC 3579 section 3.2)
func (p *Packet) sealAnswer(s Secret, request [16]byte) ([]byte, error) {
	p.Authenticator = request
	b, err := p.withZeros()
	if err != nil {
		return nil, err
	}
	copy(b[headerLen+2:], s.hmac(b))
	copy(b[4:headerLen], s.md5(b))
	return b, nil
}

// withZeros is the packet with a Message-Authenticator of zeros in front.
func (p *Packet) withZeros() ([]byte, error) {
	q := *p
	q.Attributes = append([]Attribute{{MessageAuthenticator, make([]byte, md5.Size)}}, p.Attributes...)
	return q.append(nil)
}

func (s Secret) hmac(b []byte) []byte {
	h := hmac.New(md5.New, []byte(s.octets))
	h.Write(b)
	return h.Sum(nil)
}

func (s Secret) md5(b []byte) []byte {
	h := md5.New()
	h.Write(b)
	h.Write([]byte(s.octets))
	return h.Sum(nil)
}

// checkAnswer reports whether a datagram, which can be parsed, is from who has the secret and answers a request with that authenticator. The
// Message-Authenticator must be there if required; if it is there it must be right.
func checkAnswer(b []byte, s Secret, request [16]byte, required bool) error {
	b, err := trim(b)
	if err != nil {
		return err
	}
	c := append([]byte(nil), b...)
	copy(c[4:headerLen], request[:])
	if !hmac.Equal(s.md5(c), b[4:headerLen]) {
		return ErrAuthenticator
	}
	return checkMessage(c, s, required)
}

// checkHashed reports whether a request whose authenticator is a hash is from who has the secret.
func checkHashed(b []byte, s Secret) error {
	b, err := trim(b)
	if err != nil {
		return err
	}
	c := append([]byte(nil), b...)
	clear(c[4:headerLen])
	if !hmac.Equal(s.md5(c), b[4:headerLen]) {
		return ErrAuthenticator
	}
	return checkMessage(c, s, false)
}

// checkMessage looks at the Message-Authenticator of a packet that has the authenticator which it is made with. It writes to the packet.
func checkMessage(b []byte, s Secret, required bool) error {
	at := -1
	for i := headerLen; i < len(b); i += int(b[i+1]) {
		if len(b)-i < 2 || b[i+1] < 2 || int(b[i+1]) > len(b)-i {
			return malformed(Type(b[i]), "it has no length")
		}
		if Type(b[i]) != MessageAuthenticator {
			continue
		}
		if b[i+1] != 2+md5.Size {
			return malformed(MessageAuthenticator, "it has %d bytes", b[i+1]-2)
		}
		if at >= 0 {
			return malformed(MessageAuthenticator, "there are two of them")
		}
		at = i + 2
	}
	if at < 0 {
		if required {
			return ErrNoMessageAuthenticator
		}
		return nil
	}
	got := [md5.Size]byte(b[at : at+md5.Size])
	clear(b[at : at+md5.Size])
	if !hmac.Equal(s.hmac(b), got[:]) {
		return ErrMessageAuthenticator
	}
	return nil
}
