package eap

import (
	"errors"
	"time"

	"esplanade/ike/eap/tunnel"
)

// What TTLS and PEAP have in common: a conversation within the tunnel.

// wantVersion holds a packet to a version of the method, which the other side had to accept with its first one.
func wantVersion(data []byte, version byte) *Failure {
	if v := tunnel.PeerVersion(data); v != version {
		return protocolError("version %d of the method, where %d was agreed on", v, version)
	}
	return nil
}

// innerStep is the end of a conversation in a tunnel, as a step of the method around it.
func innerStep(s Step) methodStep {
	if s.Err != nil {
		return methodStep{fail: innerFailure(s.Err)}
	}
	return methodStep{result: s.Result}
}

// innerMethod is the method that a conversation in a tunnel has ended with.
func (s Step) innerMethod() Type {
	if s.Result == nil {
		return 0
	}
	return s.Result.Method
}

// innerFailure is the failure of the method around a conversation that has failed.
func innerFailure(err error) *Failure {
	var inner *Failure
	if !errors.As(err, &inner) {
		return &Failure{Reason: ReasonProtocol, Err: err}
	}
	return &Failure{User: inner.User, Reason: inner.Reason, Inner: inner}
}

// innerCost is what a step within a tunnel takes, whatever comes: it can't be read before it is decrypted.
func innerCost(established bool, method any) time.Duration {
	if !established {
		return 0
	}
	switch m := method.(type) {
	case *tlsServer:
		return m.conn.Cost()
	case *tlsClient:
		return m.conn.Cost()
	}
	return passwordCost
}

// join puts two details into one.
func join(a, b string) string {
	if b == "" {
		return a
	}
	return a + ": " + b
}

// innerClient is what holds within a tunnel, whose server has proved itself.
func (c *ClientConfig) inner() *ClientConfig {
	methods := innerMethods(c.Inner)
	return &ClientConfig{Methods: methods, Identity: c.Identity, Secret: c.Secret, TLS: c.TLS, Protected: true, Random: c.Random}
}
