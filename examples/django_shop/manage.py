"""A Django shop that is paid once for each order.

pip install 'dgspay[django,emulator]'
dgspay emulator &
python manage.py migrate && python manage.py runserver
"""

import os
import sys

from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
