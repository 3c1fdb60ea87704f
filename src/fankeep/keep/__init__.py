"""The composition root: settings become services, services become ASGI apps."""
