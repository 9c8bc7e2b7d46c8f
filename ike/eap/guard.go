package eap

import (
	"fmt"
	"time"
)

// Guard bounds how often passwords are guessed. It is asked each time that one is to be compared, in all methods that have one, within tunnels as
// well. It may be called by several goroutines at once.
type Guard interface {
	// Try asks whether a password of a name may be compared now. The name is without a Windows domain, and in small letters. What is compared counts as wrong, unless right is called in the
	// end. During a pause nothing is to be compared, and right is nil.
	Try(now time.Time, name string) (right func(), p *Pause)
}

// Pause is why a password is not compared: there were too many wrong ones.
type Pause struct {
	Of PauseOf
	// Wrong is how many there were, as far as they are not forgotten, and Left how long the pause lasts.
	Wrong int
	Left  time.Duration
}

// PauseOf is whose wrong passwords count.
type PauseOf uint8

// The kinds of pauses.
const (
	// PauseOfUser: those of a name from one source.
	PauseOfUser PauseOf = iota
	// PauseOfName: those of a name from everywhere.
	PauseOfName
	// PauseOfSource: those of all names from one source.
	PauseOfSource
	// Pauses is how many kinds there are.
	Pauses
)

// String is the word of metrics.
func (o PauseOf) String() string {
	switch o {
	case PauseOfUser:
		return "user"
	case PauseOfName:
		return "name"
	case PauseOfSource:
		return "source"
	case Pauses:
	}
	return fmt.Sprintf("pause %d", uint8(o))
}

// String is the pause as a part of a sentence: "5 wrong passwords of this user from there; the next one is compared in 2s".
func (p *Pause) String() string {
	from := map[PauseOf]string{PauseOfUser: "of this user from there", PauseOfName: "of this user from everywhere", PauseOfSource: "of all users from there"}[p.Of]
	return fmt.Sprintf("%d wrong passwords %s; the next one is compared in %s", p.Wrong, from, max(p.Left.Round(time.Second), time.Second))
}
