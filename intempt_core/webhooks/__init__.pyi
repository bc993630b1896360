from .deliverer import (
    WebhookDeliverer as WebhookDeliverer,
)
from .delivery import (
    Webhook as Webhook,
    find_webhook as find_webhook,
)
from .signature import (
    sign_message as sign_message,
)
