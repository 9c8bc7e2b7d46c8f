// Package control is the face of a gateway towards its operators: it makes commands of what a client asks for, waits for
// what comes of them, and gives the state and the events of package gateway the form that package vici wants.
//
//	swanctl, esplanade ──> vici.Server ──> Backend ──> Commands ──> Loop.Call ──> gateway.Manager
//	                       vici.Server <── Events  <───────────────────────────── gateway.Observer
//
// [Commands] may be used without VICI. Nothing here decides anything, and nothing keeps state but [Configuration], which has the one in
// force and makes changes of it one after the other: all else is in the gateway, which belongs to the goroutine behind [Loop].
package control
