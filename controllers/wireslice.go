package controllers

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Numbers of the fields of k8s.io.api.discovery.v1.EndpointSlice and of the messages in it.
const (
	sliceMeta, sliceEndpoints, slicePorts                                              = 1, 2, 3
	endpointAddresses, endpointConditions, endpointTarget, endpointZone, endpointHints = 1, 2, 4, 7, 8
	portName, portProtocol, portNumber                                                 = 1, 2, 3
	targetKind, targetName, targetUID                                                  = 1, 3, 4
)

// readSlice reads a message of type EndpointSlice.
func readSlice(message []byte) (*received[cachedSlice], error) {
	count := 0
	err := readMessage(message, func(f wireField) error {
		if f.number == sliceEndpoints {
			count++
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var m wireMeta
	out := &cachedSlice{endpoints: make([]cachedEndpoint, 0, count)}
	err = readMessage(message, func(f wireField) error {
		switch f.number {
		case sliceMeta:
			return m.read(f.bytes)
		case sliceEndpoints:
			out.endpoints = append(out.endpoints, cachedEndpoint{})
			return out.endpoints[len(out.endpoints)-1].read(f.bytes)
		case slicePorts:
			return out.readPort(f.bytes)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.key, out.service = types.NamespacedName{Namespace: shared(m.namespace), Name: m.name}, m.service
	out.pack()
	return newReceived(out, m.resourceVersion, m.initialEventsEnd), nil
}

// readPort reads a message of type EndpointPort.
func (s *cachedSlice) readPort(message []byte) error {
	var port cachedPort
	protocol, hasNumber := string(corev1.ProtocolTCP), false
	err := readMessage(message, func(f wireField) error {
		switch f.number {
		case portName:
			port.name = f.text()
		case portProtocol:
			protocol = f.text()
		case portNumber:
			port.number, hasNumber = int32(f.value), true //nolint:gosec // as in the generated type
		}
		return nil
	})
	if hasNumber && protocol == string(corev1.ProtocolTCP) {
		port.name = shared(port.name)
		s.ports = append(s.ports, port)
	}
	return err
}

// read reads a message of type Endpoint. The address, the pod and the UID refer to the message.
func (e *cachedEndpoint) read(message []byte) error {
	var target wireTarget
	hasAddress := false
	var zones []byte
	err := readMessage(message, func(f wireField) error {
		switch f.number {
		case endpointAddresses:
			if !hasAddress {
				e.address, hasAddress = f.text(), true
			}
		case endpointConditions:
			return e.readConditions(f.bytes)
		case endpointTarget:
			return target.read(f.bytes)
		case endpointZone:
			e.zone = f.text()
		case endpointHints:
			return readZones(f.bytes, &zones)
		}
		return nil
	})
	if target.kind == "Pod" {
		e.pod, e.uid = target.name, target.uid
	}
	e.zone = shared(e.zone)
	if len(zones) > 0 {
		e.forZones = shared(string(zones[1:])) // without the first comma
	}
	return err
}

// readConditions reads a message of type EndpointConditions.
func (e *cachedEndpoint) readConditions(message []byte) error {
	return readMessage(message, func(f wireField) error {
		value := boolFalse
		if f.value != 0 {
			value = boolTrue
		}
		switch f.number {
		case 1:
			e.ready = value
		case 2:
			e.serving = value
		case 3:
			e.terminating = value
		}
		return nil
	})
}

// wireTarget is the object of an endpoint.
type wireTarget struct{ kind, name, uid string }

// read reads a message of type ObjectReference.
func (t *wireTarget) read(message []byte) error {
	return readMessage(message, func(f wireField) error {
		switch f.number {
		case targetKind:
			t.kind = f.text()
		case targetName:
			t.name = f.text()
		case targetUID:
			t.uid = f.text()
		}
		return nil
	})
}

// readZones reads a message of type EndpointHints, and appends each zone after a comma.
func readZones(message []byte, zones *[]byte) error {
	return readMessage(message, func(f wireField) error {
		if f.number != 1 { // forZones
			return nil
		}
		name := ""
		err := readMessage(f.bytes, func(f wireField) error {
			if f.number == 1 {
				name = f.text()
			}
			return nil
		})
		*zones = append(append(*zones, ','), name...)
		return err
	})
}
