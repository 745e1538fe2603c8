"""A published plan folder handed on: to a database in one transaction, or to an object store, manifest last. Start at `deliver`."""

from allocator.delivery.delivering import Delivered, deliver, reach
from allocator.delivery.parcel import DeliveryError

__all__ = ["Delivered", "DeliveryError", "deliver", "reach"]
