"""A gRPC server with a health service, in the state that the first argument names."""

import sys
from concurrent import futures

import grpc
from grpc_health.v1 import health, health_pb2_grpc
from grpc_health.v1.health_pb2 import HealthCheckResponse as Status

state, port = sys.argv[1:3]


class Refusing(grpc.ServerInterceptor):
    """Refuses every call, as a server does that wants a token."""

    def __init__(self, status):
        self.status = status

    def intercept_service(self, continuation, details):
        return grpc.unary_unary_rpc_method_handler(
            lambda request, context: context.abort(self.status, "says the interceptor")
        )


refusals = {
    "token": grpc.StatusCode.UNAUTHENTICATED,
    "unavailable": grpc.StatusCode.UNAVAILABLE,
}
interceptors = [Refusing(refusals[state])] if state in refusals else []
server = grpc.server(futures.ThreadPoolExecutor(4), interceptors=interceptors)
if state != "bare":
    servicer = health.HealthServicer()
    servicer.set("my.Service", Status.SERVING)
    if state == "not-serving":
        servicer.set("", Status.NOT_SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
if state == "tls":
    pair = [open(name, "rb").read() for name in ("key.pem", "cert.pem")]
    server.add_secure_port(f"127.0.0.1:{port}", grpc.ssl_server_credentials([pair]))
else:
    server.add_insecure_port(f"127.0.0.1:{port}")
server.start()
server.wait_for_termination()
