package vici

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// encodeSegment returns the packet with its segment length in front.
func encodeSegment(p Packet) ([]byte, error) {
	b, err := p.Append(make([]byte, 4, 512))
	if err != nil {
		return nil, err
	}
	if len(b)-4 > MaxSegment {
		return nil, fmt.Errorf("vici: a packet of %d octets; at most %d are possible", len(b)-4, MaxSegment)
	}
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b, nil
}

// WritePacket writes a packet as one segment.
func WritePacket(w io.Writer, p Packet) error {
	b, err := encodeSegment(p)
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

// ReadPacket reads one segment and decodes it. At a clean end of the stream the error is io.EOF, in the middle of a
// segment io.ErrUnexpectedEOF. After any other error than a *ParseError the stream is of no further use; after a
// *ParseError the next packet can be read.
func ReadPacket(r io.Reader) (Packet, error) {
	n, err := readLength(r, nil)
	if err != nil {
		return Packet{}, err
	}
	b, err := readSegment(r, n)
	if err != nil {
		return Packet{}, err
	}
	return ParsePacket(b)
}

// readLength reads the length of a segment. begun, if any, is called when the first octet of it has arrived.
func readLength(r io.Reader, begun func()) (int, error) {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:1]); err != nil {
		return 0, err
	}
	if begun != nil {
		begun()
	}
	if _, err := io.ReadFull(r, length[1:]); err != nil {
		return 0, unexpected(err)
	}
	n := binary.BigEndian.Uint32(length[:])
	if n > MaxSegment {
		return 0, fmt.Errorf("vici: a segment of %d octets; at most %d are allowed", n, MaxSegment)
	}
	return int(n), nil
}

// readSegment reads a segment of n octets. It takes memory for what arrives, and not for what was announced.
func readSegment(r io.Reader, n int) ([]byte, error) {
	b := make([]byte, 0, min(n, readChunk))
	for len(b) < n {
		b = slices.Grow(b, 1)
		part := b[len(b):min(n, cap(b))]
		if _, err := io.ReadFull(r, part); err != nil {
			return nil, unexpected(err)
		}
		b = b[:len(b)+len(part)]
	}
	return b, nil
}

// unexpected is the error of a stream that ends within a segment.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
