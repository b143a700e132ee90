package main

import (
	"errors"
	"net"
	"syscall"
	"testing"
)

func TestConnectionsOfAListenerAreProbed(t *testing.T) {
	l, err := listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	far, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	if _, err := far.Write([]byte("GET")); err != nil {
		t.Fatal(err)
	}
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, option := range keepAlive {
		expectOption(t, conn.(*net.TCPConn), option)
	}
}

func TestConnectionsAreTakenWithTheirFirstBytes(t *testing.T) {
	l, err := listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	expectOption(t, l.(*net.TCPListener), deferred)
}

func expectOption(t *testing.T, socket syscall.Conn, want socketOption) {
	t.Helper()
	raw, err := socket.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	got, failed := 0, error(nil)
	err = raw.Control(func(fd uintptr) { got, failed = syscall.GetsockoptInt(int(fd), want.level, want.name) })
	if err = errors.Join(err, failed); err != nil || got != want.value {
		t.Errorf("option %d is %d (%v), want %d", want.name, got, err, want.value)
	}
}
