package eap

import "time"

// serverMethod is one method as a server has it, for one conversation. It gets what the peer says in answer to its last request, and gives the
// next one.
type serverMethod interface {
	// start is the first request. id is the identifier that it gets.
	start(now time.Time, id uint8) methodStep
	// step takes the type data of the response to the last request, whose identifier was id. The next request gets next.
	step(now time.Time, id, next uint8, data []byte) methodStep
	// cost is about how long step will take for that, on one core.
	cost(data []byte) time.Duration
	// close ends what the method keeps. It may be called while another goroutine is in step, and more than once.
	close()
}

// clientMethod is one method as a client has it, for one conversation.
type clientMethod interface {
	// step takes the type data of a request, whose identifier is id, and gives that of the response.
	step(now time.Time, id uint8, data []byte) methodStep
	cost(data []byte) time.Duration
	close()
	// success is asked when the server says Success: the result, if the method may end here.
	success() (*Result, *Failure)
	// failure is asked when the server says Failure: what the method knows about why. nil if it knows nothing.
	failure() *Failure
}

// methodStep is what comes of one message.
type methodStep struct {
	// out is the type data of the next request, or of the response.
	out []byte
	// result ends a server's method: the peer has proved itself.
	result *Result
	// fail ends the method; with out, the peer is told so first in the method's own words, and the method is not asked again.
	fail *Failure
}

// passwordCost is what it takes to check a password: some hashes.
const passwordCost = 20 * time.Microsecond

// quick is embedded by methods of which a step costs some hashes, and which keep nothing.
type quick struct{}

func (quick) cost([]byte) time.Duration { return passwordCost }
func (quick) close()                    {}

// newServerMethod is a method for a conversation of a server, or nil if this side has none of that type.
func newServerMethod(t Type, s *Server) serverMethod {
	switch t {
	case TypeMD5:
		return &md5Server{talk: s}
	case TypeGTC:
		return &gtcServer{talk: s}
	case TypeMSCHAPv2:
		return &mschapServer{talk: s}
	case TypeTLS:
		return newTLSServer(s)
	case TypeTTLS:
		return newTTLSServer(s)
	case TypePEAP:
		return newPEAPServer(s)
	default:
		return nil
	}
}

// newClientMethod is a method for a conversation of a client, or nil if this side has none of that type.
func newClientMethod(t Type, c *Client) clientMethod {
	switch t {
	case TypeMD5:
		return &md5Client{cfg: c.cfg}
	case TypeGTC:
		return &gtcClient{cfg: c.cfg}
	case TypeMSCHAPv2:
		return &mschapClient{cfg: c.cfg}
	case TypeTLS:
		return newTLSClient(c.cfg)
	case TypeTTLS:
		return newTTLSClient(c.cfg)
	case TypePEAP:
		return newPEAPClient(c.cfg)
	default:
		return nil
	}
}
