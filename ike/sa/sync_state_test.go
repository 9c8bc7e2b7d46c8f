package sa

import (
	"testing"

	"esplanade/ike/wire"
)

// Which ids a cluster may go on with: none that it has used, "lower than or equal to the highest value it has seen", and none beyond the
// last. https://www.rfc-editor.org/rfc/rfc6311#section-5.1
func TestWhichSynchronisationIsFollowed(t *testing.T) {
	for name, c := range map[string]struct {
		sync           idSync
		nextRecv       uint32
		send, received uint32
		ok             bool
	}{
		"the next":                    {idSync{}, 5, 5, 0, true},
		"a later one":                 {idSync{}, 5, 9, 7, true},
		"an earlier one":              {idSync{}, 5, 4, 7, false},
		"before any request":          {idSync{}, 0, 0, 7, true},
		"that of the one before":      {idSync{seen: true, last: 9}, 9, 9, 7, false},
		"behind the one before":       {idSync{seen: true, last: 9}, 9, 10, 7, true},
		"zero again":                  {idSync{seen: true}, 0, 0, 7, false},
		"the last id":                 {idSync{}, 5, maxMessageID, maxMessageID, true},
		"beyond it":                   {idSync{}, 5, maxMessageID + 1, 7, false},
		"beyond it in what we are at": {idSync{}, 5, 5, maxMessageID + 1, false},
	} {
		why := c.sync.refuses(wire.MessageIDSync{ExpectedSendID: c.send, ExpectedReceived: c.received}, c.nextRecv)
		if (why == "") != c.ok {
			t.Errorf("%s: %q", name, why)
		}
	}
}

// Our own ids never go back: one that was used once is the id of another message.
func TestResyncedWindow(t *testing.T) {
	for _, received := range []uint32{3, 7, 11} {
		w := window{nextSend: 7, nextRecv: 2, response: [][]byte{{1}}, parked: &asks{}}
		w.resync(wire.MessageIDSync{ExpectedSendID: 20, ExpectedReceived: received})
		if w.nextSend != max(7, received) || w.nextRecv != 20 || w.response != nil || w.parked != nil {
			t.Errorf("received %d: %+v", received, w)
		}
	}
}
