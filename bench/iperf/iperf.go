// Package iperf knows iperf3's command line and its JSON, as far as the side-by-side run needs them.
package iperf

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Port is where the server listens. Each namespace has ports of its own.
const Port = 5201

// Test is one measurement over TCP.
type Test struct {
	Streams int // 0 and 1: one
	Reverse bool
	Bidir   bool
	// Duration is what is measured, after WarmUp, both in whole seconds: iperf3 takes no others for WarmUp.
	Duration, WarmUp time.Duration
	// Rate limits the sender, in bits a second for each stream; 0: as fast as it goes.
	Rate float64
}

// ClientArgs is the command of the client, from address local to a server at remote.
func (t Test) ClientArgs(local, remote string) []string {
	args := []string{"iperf3", "-c", remote, "-B", local, "-p", strconv.Itoa(Port), "-J", "--connect-timeout", "5000",
		"-t", seconds(t.Duration), "-O", seconds(t.WarmUp)}
	if t.Streams > 1 {
		args = append(args, "-P", strconv.Itoa(t.Streams))
	}
	if t.Reverse {
		args = append(args, "-R")
	}
	if t.Bidir {
		args = append(args, "--bidir")
	}
	if t.Rate > 0 {
		args = append(args, "-b", strconv.FormatFloat(t.Rate, 'f', 0, 64))
	}
	return args
}

func seconds(d time.Duration) string { return strconv.Itoa(int((d + time.Second/2) / time.Second)) }

// ServerArgs is the command of a server at an address; it ends after one test.
func ServerArgs(local string) []string {
	return []string{"iperf3", "-s", "-1", "-B", local, "-p", strconv.Itoa(Port)}
}

// Result is what a test has found.
type Result struct {
	// BitsPerSecond is what arrived, of all streams and both directions together, without the warm-up.
	BitsPerSecond float64 `json:"bits_per_second"`
	// Forward and Reverse are the two directions of it.
	Forward float64 `json:"forward,omitempty"`
	Reverse float64 `json:"reverse,omitempty"`
	// Bytes is everything that went through, warm-up included, as the client saw it.
	Bytes float64 `json:"bytes"`
	// PerSecond is the course of BitsPerSecond.
	PerSecond   []float64 `json:"per_second"`
	Retransmits int       `json:"retransmits"`
}

// ErrOutput says that a client's output has no result.
var ErrOutput = errors.New("iperf3")

type sum struct {
	Bytes         float64 `json:"bytes"`
	BitsPerSecond float64 `json:"bits_per_second"`
	Retransmits   int     `json:"retransmits"`
	Omitted       bool    `json:"omitted"`
	Sender        bool    `json:"sender"`
}

// Parse reads the client's JSON.
func Parse(b []byte) (Result, error) {
	var d struct {
		Error     string `json:"error"`
		Intervals []struct {
			Sum   sum  `json:"sum"`
			Bidir *sum `json:"sum_bidir_reverse"`
		} `json:"intervals"`
		End struct {
			Sent          sum  `json:"sum_sent"`
			Received      *sum `json:"sum_received"`
			SentBidir     *sum `json:"sum_sent_bidir_reverse"`
			ReceivedBidir *sum `json:"sum_received_bidir_reverse"`
		} `json:"end"`
	}
	if err := json.Unmarshal(b, &d); err != nil {
		return Result{}, fmt.Errorf("%w: %w: %s", ErrOutput, err, short(b))
	}
	if d.Error != "" {
		return Result{}, fmt.Errorf("%w: %s", ErrOutput, d.Error)
	}
	if d.End.Received == nil {
		return Result{}, fmt.Errorf("%w: no sum of what was received: %s", ErrOutput, short(b))
	}
	var r Result
	r.Retransmits = d.End.Sent.Retransmits
	if d.End.Received.Sender {
		r.Forward = d.End.Received.BitsPerSecond
	} else {
		r.Reverse = d.End.Received.BitsPerSecond
	}
	if x := d.End.ReceivedBidir; x != nil {
		r.Reverse += x.BitsPerSecond
	}
	if x := d.End.SentBidir; x != nil {
		r.Retransmits += x.Retransmits
	}
	r.BitsPerSecond = r.Forward + r.Reverse
	for _, i := range d.Intervals {
		s := i.Sum
		if i.Bidir != nil {
			s.Bytes += i.Bidir.Bytes
			s.BitsPerSecond += i.Bidir.BitsPerSecond
		}
		r.Bytes += s.Bytes
		if !s.Omitted {
			r.PerSecond = append(r.PerSecond, s.BitsPerSecond)
		}
	}
	return r, nil
}

func short(b []byte) string {
	s := strings.TrimSpace(string(b))
	if len(s) > 200 {
		return s[:200] + "…"
	}
	return s
}
