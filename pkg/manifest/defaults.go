package manifest

import (
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Defaults of the API server that translation relies on (k8s.io/kubernetes, pkg/apis/*/v1/defaults.go).

func defaultService(s *corev1.Service) {
	if s.Spec.Type == "" {
		s.Spec.Type = corev1.ServiceTypeClusterIP
	}
	for i := range s.Spec.Ports {
		port := &s.Spec.Ports[i]
		if port.Protocol == "" {
			port.Protocol = corev1.ProtocolTCP
		}
		if port.TargetPort == intstr.FromInt32(0) || port.TargetPort == intstr.FromString("") {
			port.TargetPort = intstr.FromInt32(port.Port)
		}
	}
}

// defaultSecret merges stringData into data, as the API server does on writes.
func defaultSecret(s *corev1.Secret) {
	if s.Type == "" {
		s.Type = corev1.SecretTypeOpaque
	}
	for key, value := range s.StringData {
		if s.Data == nil {
			s.Data = map[string][]byte{}
		}
		s.Data[key] = []byte(value)
	}
	s.StringData = nil
}

func defaultEndpointSlice(s *discoveryv1.EndpointSlice) {
	tcp, unnamed := corev1.ProtocolTCP, ""
	for i := range s.Ports {
		port := &s.Ports[i]
		if port.Protocol == nil {
			port.Protocol = &tcp
		}
		if port.Name == nil {
			port.Name = &unnamed
		}
	}
}
