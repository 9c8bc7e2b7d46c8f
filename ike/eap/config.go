package eap

import (
	"crypto/rand"
	"crypto/x509"
	"slices"

	"esplanade/ike/aaa"
)

// MSKLen is the length of an MSK in octets: "at least 64 octets" (RFC 3748 section 7.10), and no method here makes more.
const MSKLen = 64

// Users is a directory of users. It is immutable; another one takes its place on a reload.
type Users interface {
	// User finds a user by the name that somebody has given. If the user has a Name, that is the right spelling. What it gives must not be
	// changed.
	User(name string) (Secret, aaa.User, bool)
}

// ServerConfig is how a server authenticates users. It is not changed while anybody uses it, and may be used by many conversations at once.
type ServerConfig struct {
	// Methods are those that are allowed, the best first: the first is offered, and of those that a Nak asks for the best that was not offered
	// yet.
	Methods []Type
	// AskIdentity has the conversation begin with a request for the identity. Otherwise the user is Identity.
	AskIdentity bool
	// Identity is the user if it is not asked for: the identity of the peer in IKE. If that is "", whatever the method proves is the user. If it
	// is asked for and the answer is empty, as Android's is, Identity is the user of a method that has no name in its own messages.
	Identity string
	// Protected says that this side proves itself by something else than EAP, and that nobody reads along: by AUTH of a responder with a
	// certificate, or in a TLS tunnel. Otherwise only methods that are [Type.Safe] are used.
	Protected bool
	// Users are those that there are, for methods with passwords.
	Users Users
	// Guard bounds how often passwords are guessed; nil: nothing does.
	Guard Guard
	// TLS is what EAP-TLS, EAP-TTLS and EAP-PEAP need; nil: there are none of them.
	TLS *TLSServer
	// Inner are the methods that may be used within a tunnel, the best first.
	Inner []Type
	// Random gives random octets, and may be called by several goroutines at once; nil: those of the operating system.
	Random func(n int) []byte
}

// methods are those that may be used, without any twice.
func (c *ServerConfig) methods() []Type { return usable(c.Methods, c.Protected) }

func (c *ServerConfig) random(n int) []byte { return random(c.Random, n) }

// ClientConfig is how a client authenticates. It is not changed while anybody uses it, and may be used by many conversations at once.
type ClientConfig struct {
	// Methods are those that are allowed, the best first. For any other the client answers with a Nak that has this list.
	Methods []Type
	// Identity is the name of the user. Anonymous, if it is not "", is what the server hears in its place outside of a tunnel: all of Methods
	// have one then.
	Identity, Anonymous string
	// Secret is the password, or its hash.
	Secret Secret
	// TLS is what EAP-TLS, EAP-TTLS and EAP-PEAP need; nil: there are none of them.
	TLS *TLSClient
	// Protected says that the server has proved itself by something else than EAP, and that nobody reads along: by AUTH of a responder that
	// was verified, or in a TLS tunnel. Otherwise only methods that are [Type.Safe] are used: no password goes to whoever asks for it.
	Protected bool
	// Inner are the methods that may be used within a tunnel, the best first.
	Inner []Type
	// Random is as in [ServerConfig].
	Random func(n int) []byte
}

func (c *ClientConfig) methods() []Type { return usable(c.Methods, c.Protected) }

func (c *ClientConfig) random(n int) []byte { return random(c.Random, n) }

// outer is the name that is heard outside of a tunnel.
func (c *ClientConfig) outer() string {
	if c.Anonymous != "" {
		return c.Anonymous
	}
	return c.Identity
}

func usable(methods []Type, protected bool) []Type {
	var all []Type
	for _, t := range methods {
		if t.Method() && (protected || t.Safe()) && !slices.Contains(all, t) {
			all = append(all, t)
		}
	}
	return all
}

func random(f func(int) []byte, n int) []byte {
	if f != nil {
		return f(n)
	}
	b := make([]byte, n)
	rand.Read(b) // never fails
	return b
}

// Step is what comes of one packet. It may hold a password or a key, and prints as a placeholder.
type Step struct {
	redacted
	// Out is the packet to send. A client that is done has none.
	Out []byte
	// Done says that the conversation is over: with Result, or with Err.
	Done   bool
	Result *Result
	// Err is why it has failed, a [*Failure]. If it is there and Done is not, the verdict is there, and the sides exchange it in the method's own
	// words first: whatever comes next, the conversation ends with the same failure. The peer may as well never come back.
	Err error
}

// Result is who was authenticated, and with which key. It prints as a placeholder.
type Result struct {
	redacted
	// User is whom the peer has turned out to be; of a client, its own name.
	User   aaa.User
	Method Type
	// Inner is the method within the tunnel; 0 if it was none of EAP, or there is no tunnel.
	Inner Type
	// MSK has 64 octets, or is nil if the method makes no key.
	MSK []byte
	// Mutual says that the server has proved itself to the client by the method.
	Mutual bool
	// Chain leads from the certificate that the other side has shown in TLS to what is trusted, as its judge has said. Whether one of them was
	// revoked is the caller's to ask, before it sends Success or believes it.
	Chain []*x509.Certificate
}
