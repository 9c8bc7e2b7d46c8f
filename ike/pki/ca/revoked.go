package ca

import (
	"bufio"
	"bytes"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"
)

// Reason is why a certificate was revoked (RFC 5280 section 5.3.1).
type Reason int

// The reasons. A certificate on hold is not among them: nothing here takes a revocation back.
const (
	Unspecified          Reason = 0
	KeyCompromise        Reason = 1
	CACompromise         Reason = 2
	AffiliationChanged   Reason = 3
	Superseded           Reason = 4
	CessationOfOperation Reason = 5
	PrivilegeWithdrawn   Reason = 9
)

// Reasons are all reasons, the default first.
func Reasons() []Reason {
	return []Reason{Unspecified, KeyCompromise, CACompromise, AffiliationChanged, Superseded, CessationOfOperation, PrivilegeWithdrawn}
}

// String is the reason as command lines and files have it.
func (r Reason) String() string {
	switch r {
	case Unspecified:
		return "unspecified"
	case KeyCompromise:
		return "key-compromise"
	case CACompromise:
		return "ca-compromise"
	case AffiliationChanged:
		return "affiliation-changed"
	case Superseded:
		return "superseded"
	case CessationOfOperation:
		return "cessation-of-operation"
	case PrivilegeWithdrawn:
		return "privilege-withdrawn"
	}
	return fmt.Sprintf("reason %d", int(r))
}

// ParseReason reads a reason, also as RFC 5280 and OpenSSL write it (keyCompromise). The error says what there is.
func ParseReason(text string) (Reason, error) {
	var all []string
	for _, r := range Reasons() {
		if strings.EqualFold(strings.ReplaceAll(text, "-", ""), strings.ReplaceAll(r.String(), "-", "")) {
			return r, nil
		}
		all = append(all, r.String())
	}
	return 0, fmt.Errorf("%q is no reason; write %s", text, strings.Join(all, ", "))
}

// Revocation is a certificate that was revoked.
type Revocation struct {
	Serial *big.Int
	At     time.Time
	Reason Reason
}

// Revoked are the revocations of a CA, in the order in which they were made.
type Revoked []Revocation

// Find is the revocation of a serial number.
func (r Revoked) Find(serial *big.Int) (Revocation, bool) {
	if i := slices.IndexFunc(r, func(x Revocation) bool { return x.Serial.Cmp(serial) == 0 }); i >= 0 {
		return r[i], true
	}
	return Revocation{}, false
}

// revokedHead says what the file is.
const revokedHead = "# Revoked certificates: serial number, time, reason. `esplanade pki crl` makes the CRL of it.\n"

// Encode is a file with a line for each revocation.
func (r Revoked) Encode() []byte {
	var b bytes.Buffer
	b.WriteString(revokedHead)
	for _, x := range r {
		fmt.Fprintf(&b, "%s %s %s\n", FormatSerial(x.Serial), x.At.UTC().Format(time.RFC3339), x.Reason)
	}
	return b.Bytes()
}

// DecodeRevoked reads what [Revoked.Encode] has written. The error has the number of the line.
func DecodeRevoked(data []byte) (r Revoked, err error) {
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		fields := strings.Fields(line)
		if len(fields) != 3 {
			return nil, fmt.Errorf("line %d has %d fields, not a serial number, a time and a reason", n, len(fields))
		}
		serial, ok := ParseSerial(fields[0])
		if !ok {
			return nil, fmt.Errorf("line %d has the serial number %q, which is not hexadecimal", n, fields[0])
		}
		at, err := time.Parse(time.RFC3339, fields[1])
		if err != nil {
			return nil, fmt.Errorf("line %d has the time %q, which is not one", n, fields[1])
		}
		reason, err := ParseReason(fields[2])
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		r = append(r, Revocation{serial, at, reason})
	}
	return r, lines.Err()
}
