// Package ipsecconf reads ipsec.conf and ipsec.secrets, of strongSwan (starter and stroke) and of libreswan, versions 4 and 5, and makes our
// configuration of them.
//
// The two formats have one ancestor and the same look. They differ in keywords, in defaults, in what one value means, and in how sections
// inherit from each other; [Dialect] says which is meant.
//
//	scan.go, file.go      text  ->  sections of settings, with places and comments; includes
//	inherit.go            a conn with what it has from %default and from also=
//	side.go               which of left and right is this host
//	strongswan*.go        what a conn of strongSwan's means
//	libreswan*.go         what a conn of libreswan's means
//	emit.go, merge.go     that in our tables; conns with the same IKE part are one connection with several children
//	secrets*.go           ipsec.secrets
//
// What the source does not say is written out where the source's default is not ours. What has no place here is noted with its place and the
// reason, once.
package ipsecconf
