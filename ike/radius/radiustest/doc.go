// Package radiustest has a RADIUS server for tests. It makes and reads packets with code of its own, so that a mistake of package radius
// shows and does not cancel itself out.
package radiustest
