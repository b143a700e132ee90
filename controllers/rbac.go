package controllers

// RBAC permissions of Limpet. config/rbac/role.yaml is generated from these markers, and the tests of this package run
// with exactly these permissions.
//
// All replicas watch all namespaces. With --watch-namespace, the rules for namespaced kinds are needed in these namespaces and
// Limpet's own, and those for namespaces and ingressclasses are not. They read from the cache and do not need the verb get:
// +kubebuilder:rbac:groups="",resources=services;secrets;configmaps,verbs=list;watch
// +kubebuilder:rbac:groups="",resources=pods,verbs=list;watch
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=list;watch
// +kubebuilder:rbac:groups=discovery.k8s.io,resources=endpointslices,verbs=list;watch
// +kubebuilder:rbac:groups=networking.k8s.io,resources=ingresses;ingressclasses,verbs=list;watch
// +kubebuilder:rbac:groups=limpet.dev,resources=affinitypolicies,verbs=list;watch
//
// The leader writes status and Events:
// +kubebuilder:rbac:groups=networking.k8s.io,resources=ingresses/status,verbs=patch
// +kubebuilder:rbac:groups=limpet.dev,resources=affinitypolicies/status,verbs=patch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create
//
// With --pod-deletion-cost, the leader also needs the verb patch for pods: see config/pod-deletion-cost.
//
// The leader writes the key Secret and the lease in Limpet's own namespace. RBAC cannot restrict create to a name.
// +kubebuilder:rbac:groups="",namespace=limpet-system,resources=secrets,verbs=create
// +kubebuilder:rbac:groups="",namespace=limpet-system,resources=secrets,resourceNames=limpet-affinity-keys,verbs=update
// +kubebuilder:rbac:groups=coordination.k8s.io,namespace=limpet-system,resources=leases,verbs=create
// +kubebuilder:rbac:groups=coordination.k8s.io,namespace=limpet-system,resources=leases,resourceNames=limpet-leader,verbs=get;update
