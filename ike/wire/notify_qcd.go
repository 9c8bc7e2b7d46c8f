package wire

// The lengths a token may have (https://www.rfc-editor.org/rfc/rfc6290#section-4.1).
const (
	MinQCDTokenLen = 16
	MaxQCDTokenLen = 128
)

// NewQCDToken makes a QCD_TOKEN notification. It names the protocol IKE, and has no SPI
// (https://www.rfc-editor.org/rfc/rfc6290#section-4.1).
func NewQCDToken(token []byte) *Notify {
	n := NewNotify(NotifyQuickCrashDetection, token)
	n.Protocol = ProtocolIKE
	return n
}

// QCDToken reads the data of QCD_TOKEN and checks its length.
func (n *Notify) QCDToken() ([]byte, error) {
	if len(n.Data) < MinQCDTokenLen || len(n.Data) > MaxQCDTokenLen {
		return nil, n.dataError("token of %d octets, it must have %d to %d", len(n.Data), MinQCDTokenLen, MaxQCDTokenLen)
	}
	return n.Data, nil
}
